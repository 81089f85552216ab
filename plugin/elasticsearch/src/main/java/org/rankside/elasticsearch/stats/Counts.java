package org.rankside.elasticsearch.stats;

import java.io.IOException;
import java.util.Map;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.rankside.client.Latency;
import org.rankside.client.Stats;

/** Counts between nodes. */
final class Counts {
    private Counts() {}

    static Stats.Snapshot read(StreamInput in) throws IOException {
        return new Stats.Snapshot(
                in.readMap(Counts::readNumbers),
                readNumbers(in),
                in.readMap(Counts::readNumbers),
                in.readMap(Counts::readLatency));
    }

    static void write(StreamOutput out, Stats.Snapshot counts) throws IOException {
        out.writeMap(counts.calls(), Counts::writeNumbers);
        writeNumbers(out, counts.searches());
        out.writeMap(counts.reasons(), Counts::writeNumbers);
        out.writeMap(counts.latency(), Counts::writeLatency);
    }

    private static Latency readLatency(StreamInput in) throws IOException {
        return new Latency(in.readCollectionAsList(StreamInput::readVLong), in.readVLong());
    }

    private static void writeLatency(StreamOutput out, Latency latency) throws IOException {
        out.writeCollection(latency.buckets(), StreamOutput::writeVLong);
        out.writeVLong(latency.nanos());
    }

    private static Map<String, Long> readNumbers(StreamInput in) throws IOException {
        return in.readMap(StreamInput::readVLong);
    }

    private static void writeNumbers(StreamOutput out, Map<String, Long> numbers) throws IOException {
        out.writeMap(numbers, StreamOutput::writeVLong);
    }
}
