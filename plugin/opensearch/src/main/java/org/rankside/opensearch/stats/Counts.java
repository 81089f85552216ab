package org.rankside.opensearch.stats;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.opensearch.core.common.io.stream.StreamInput;
import org.opensearch.core.common.io.stream.StreamOutput;
import org.opensearch.core.xcontent.XContentBuilder;
import org.rankside.client.Latency;
import org.rankside.client.Stats;

/** Counts between nodes, and as JSON shows them. */
final class Counts {
    private static final double NANOS_OF_A_MILLISECOND = 1e6;

    private static final List<String> STATUSES =
            List.of("reranked", "partial", "passed_through", "failed");

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

    /** Fields of an object that the caller has begun. */
    static void toXContent(XContentBuilder builder, Stats.Snapshot counts) throws IOException {
        builder.field("calls", new TreeMap<>(counts.calls()));
        builder.field("searches", searches(counts));
        builder.startObject("latency_ms");
        for (Map.Entry<String, Latency> operation : new TreeMap<>(counts.latency()).entrySet()) {
            builder.field(operation.getKey(), shown(operation.getValue()));
        }
        builder.endObject();
    }

    /** Every status, and for those that have them their reasons beside it. */
    private static Map<String, Object> searches(Stats.Snapshot counts) {
        Map<String, Object> searches = new LinkedHashMap<>();
        for (String status : STATUSES) {
            searches.put(status, 0);
        }
        searches.putAll(counts.searches());
        for (String status : List.of("passed_through", "failed")) {
            Map<String, Long> reasons = counts.reasons().getOrDefault(status, Map.of());
            searches.put(status + "_reasons", new TreeMap<>(reasons));
        }
        return searches;
    }

    private static Map<String, Object> shown(Latency latency) {
        Map<String, Long> buckets = new LinkedHashMap<>();
        for (int bucket = 0; bucket < Latency.BOUNDS.size(); bucket++) {
            buckets.put(Latency.BOUNDS.get(bucket).toString(), latency.buckets().get(bucket));
        }
        buckets.put("+inf", latency.buckets().getLast());
        Map<String, Object> shown = new LinkedHashMap<>();
        shown.put("count", latency.count());
        shown.put("sum", latency.nanos() / NANOS_OF_A_MILLISECOND);
        shown.put("buckets", buckets);
        return shown;
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
