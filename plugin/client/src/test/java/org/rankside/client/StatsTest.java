package org.rankside.client;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.rankside.client.Stats.Snapshot;

class StatsTest {
    private final Stats stats = new Stats();

    @Test
    void aNodeThatDidNothingHasNothingToShow() {
        assertEquals(Snapshot.EMPTY, stats.snapshot());
    }

    @Test
    void callsAreCountedByOperationAndOutcome() {
        stats.answered("/v1/listwise", 5);
        stats.answered("/v1/listwise", 7);
        stats.failed("/v1/listwise", Reason.DEADLINE);
        stats.failed("/v1/rank", Reason.CIRCUIT_OPEN);
        Snapshot snapshot = stats.snapshot();
        assertEquals(
                Map.of(
                        "listwise", Map.of("answered", 2L, "deadline", 1L),
                        "rank", Map.of("circuit_open", 1L)),
                snapshot.calls());
        assertEquals(
                Map.of("listwise", LatencyTest.one(0, 5).plus(LatencyTest.one(0, 7))),
                snapshot.latency());
    }

    @Test
    void searchesAreCountedByStatusAndThosePassedThroughOrFailedByReason() {
        stats.searched("reranked", null);
        stats.searched("partial", "2 hits have no vector");
        stats.searched("passed_through", "deadline");
        stats.searched("passed_through", "deadline");
        stats.searched("passed_through", null);
        stats.searched("failed", "deadline");
        Snapshot snapshot = stats.snapshot();
        assertEquals(
                Map.of("reranked", 1L, "partial", 1L, "passed_through", 3L, "failed", 1L),
                snapshot.searches());
        assertEquals(
                Map.of("passed_through", Map.of("deadline", 2L), "failed", Map.of("deadline", 1L)),
                snapshot.reasons());
    }

    @Test
    void reasonsWithoutEndAreCountedTogether() {
        for (int hits = 0; hits < 100; hits++) {
            stats.searched("passed_through", hits + " hits have no vector");
        }
        stats.searched("passed_through", "0 hits have no vector");
        Map<String, Long> reasons = stats.snapshot().reasons().get("passed_through");
        assertEquals(33, reasons.size());
        assertEquals(68, reasons.get("other"));
        assertEquals(2, reasons.get("0 hits have no vector"));
    }

    @Test
    void aSnapshotDoesNotMove() {
        stats.answered("/v1/listwise", 5);
        Snapshot before = stats.snapshot();
        stats.answered("/v1/listwise", 5);
        assertEquals(Map.of("listwise", Map.of("answered", 1L)), before.calls());
        assertEquals(1, before.latency().get("listwise").count());
    }

    @Test
    void whatTwoNodesDidIsAdded() {
        stats.answered("/v1/listwise", 5);
        stats.searched("passed_through", "deadline");
        Stats other = new Stats();
        other.failed("/v1/listwise", Reason.DEADLINE);
        other.answered("/v1/models", 3);
        other.searched("passed_through", "deadline");
        Snapshot sum = stats.snapshot().plus(other.snapshot()).plus(Snapshot.EMPTY);
        assertEquals(
                new Snapshot(
                        Map.of(
                                "listwise", Map.of("answered", 1L, "deadline", 1L),
                                "models", Map.of("answered", 1L)),
                        Map.of("passed_through", 2L),
                        Map.of("passed_through", Map.of("deadline", 2L)),
                        Map.of(
                                "listwise", LatencyTest.one(0, 5),
                                "models", LatencyTest.one(0, 3))),
                sum);
    }

    @Test
    void nothingIsLostBetweenThreads() throws Exception {
        int threads = 4;
        int each = 10_000;
        try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
            Runnable work = () -> IntStream.range(0, each).forEach(i -> stats.answered("/v1/rank", i));
            for (Future<?> done :
                    IntStream.range(0, threads).mapToObj(i -> pool.submit(work)).toList()) {
                done.get();
            }
        }
        Snapshot snapshot = stats.snapshot();
        assertEquals(Map.of("rank", Map.of("answered", (long) threads * each)), snapshot.calls());
        assertEquals(threads * each, snapshot.latency().get("rank").count());
    }
}
