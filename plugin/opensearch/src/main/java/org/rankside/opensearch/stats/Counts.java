package org.rankside.opensearch.stats;

import java.io.IOException;
import java.util.Map;
import org.opensearch.core.common.io.stream.StreamInput;
import org.opensearch.core.common.io.stream.StreamOutput;
import org.rankside.client.Latency;
import org.rankside.client.Stats;

/** Counts between nodes. */
final class Counts {
    private Counts() {}

    static Stats.Snapshot read(StreamInput in) throws IOException {
        return new Stats.Snapshot(
                in.readMap(StreamInput::readString, Counts::readNumbers),
                readNumbers(in),
                in.readMap(StreamInput::readString, Counts::readNumbers),
                in.readMap(StreamInput::readString, Counts::readLatency));
    }

    static void write(StreamOutput out, Stats.Snapshot counts) throws IOException {
        out.writeMap(counts.calls(), StreamOutput::writeString, Counts::writeNumbers);
        writeNumbers(out, counts.searches());
        out.writeMap(counts.reasons(), StreamOutput::writeString, Counts::writeNumbers);
        out.writeMap(counts.latency(), StreamOutput::writeString, Counts::writeLatency);
    }

    private static Latency readLatency(StreamInput in) throws IOException {
        return new Latency(in.readList(StreamInput::readVLong), in.readVLong());
    }

    private static void writeLatency(StreamOutput out, Latency latency) throws IOException {
        out.writeCollection(latency.buckets(), StreamOutput::writeVLong);
        out.writeVLong(latency.nanos());
    }

    private static Map<String, Long> readNumbers(StreamInput in) throws IOException {
        return in.readMap(StreamInput::readString, StreamInput::readVLong);
    }

    private static void writeNumbers(StreamOutput out, Map<String, Long> numbers) throws IOException {
        out.writeMap(numbers, StreamOutput::writeString, StreamOutput::writeVLong);
    }
}
