package org.rankside.client;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What the engines' stats endpoints show of a node and of all of them, as JSON has it. */
public final class StatsJson {
    private static final double NANOS_OF_A_MILLISECOND = 1e6;

    private static final List<String> STATUSES =
            List.of("reranked", "partial", "passed_through", "failed");

    private StatsJson() {}

    /** How the node of this name stands. */
    public static Map<String, Object> of(String name, SidecarState state) {
        Map<String, Object> shown = new LinkedHashMap<>();
        shown.put("name", name);
        shown.put("in_flight", state.inFlight());
        shown.put("max_in_flight", state.maxInFlight());
        shown.put("circuits", new TreeMap<>(state.circuits()));
        Map<String, Object> documents = new LinkedHashMap<>();
        documents.put("in_flight", state.documents().inFlight());
        documents.put("circuits", new TreeMap<>(state.documents().circuits()));
        shown.put("documents", documents);
        shown.putAll(of(state.counts()));
        return shown;
    }

    /** Calls and searches, of a node or of several. */
    public static Map<String, Object> of(Stats.Snapshot counts) {
        Map<String, Object> latency = new LinkedHashMap<>();
        new TreeMap<>(counts.latency()).forEach((call, took) -> latency.put(call, of(took)));
        Map<String, Object> shown = new LinkedHashMap<>();
        shown.put("calls", new TreeMap<>(counts.calls()));
        shown.put("searches", searches(counts));
        shown.put("latency_ms", latency);
        return shown;
    }

    /** Every status, and for those that have them their reasons beside it. */
    private static Map<String, Object> searches(Stats.Snapshot counts) {
        Map<String, Object> searches = new LinkedHashMap<>();
        for (String status : STATUSES) {
            searches.put(status, 0L);
        }
        searches.putAll(counts.searches());
        for (String status : List.of("passed_through", "failed")) {
            Map<String, Long> reasons = counts.reasons().getOrDefault(status, Map.of());
            searches.put(status + "_reasons", new TreeMap<>(reasons));
        }
        return searches;
    }

    private static Map<String, Object> of(Latency latency) {
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
}
