package org.rankside.client;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class StatsJsonTest {
    private static final SidecarState BUSY =
            new SidecarState(
                    3,
                    64,
                    Map.of("http://a:8080", "open", "http://b:8080", "half_open"),
                    new SidecarState.Documents(2, Map.of("http://a:8080", "closed")),
                    new Stats.Snapshot(
                            Map.of("listwise", Map.of("answered", 2L, "deadline", 1L)),
                            Map.of("reranked", 2L, "passed_through", 1L),
                            Map.of("passed_through", Map.of("deadline", 1L)),
                            Map.of("listwise", latency(2, 41_500_000))));

    /** So many calls in the last bucket. */
    private static Latency latency(long count, long nanos) {
        List<Long> buckets = new ArrayList<>(Collections.nCopies(Latency.BOUNDS.size(), 0L));
        buckets.add(count);
        return new Latency(buckets, nanos);
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> at(Map<String, Object> object, String... path) {
        Map<String, Object> found = object;
        for (String name : path) {
            found = (Map<String, Object>) found.get(name);
        }
        return found;
    }

    @Test
    void aNodeShowsItsPlacesAndCircuits() {
        Map<String, Object> node = StatsJson.of("name-a", BUSY);
        assertEquals("name-a", node.get("name"));
        assertEquals(3, node.get("in_flight"));
        assertEquals(64, node.get("max_in_flight"));
        assertEquals(BUSY.circuits(), node.get("circuits"));
        assertEquals(
                Map.of("in_flight", 2, "circuits", Map.of("http://a:8080", "closed")),
                node.get("documents"));
    }

    @Test
    void everyStatusIsShownAndReasonsBesideThoseThatHaveThem() {
        Map<String, Object> node = StatsJson.of("name-a", BUSY);
        assertEquals(Map.of("answered", 2L, "deadline", 1L), at(node, "calls", "listwise"));
        assertEquals(
                Map.of(
                        "reranked", 2L,
                        "partial", 0L,
                        "passed_through", 1L,
                        "passed_through_reasons", Map.of("deadline", 1L),
                        "failed", 0L,
                        "failed_reasons", Map.of()),
                node.get("searches"));
    }

    @Test
    void latencyIsInMillisecondsByBucket() {
        Map<String, Object> latency = at(StatsJson.of(BUSY.counts()), "latency_ms", "listwise");
        assertEquals(2L, latency.get("count"));
        assertEquals(41.5, latency.get("sum"));
        assertEquals(
                Set.of("1", "2", "5", "10", "20", "50", "100", "200", "500", "1000", "2000", "5000", "+inf"),
                at(latency, "buckets").keySet());
        assertEquals(2L, at(latency, "buckets").get("+inf"));
    }
}
