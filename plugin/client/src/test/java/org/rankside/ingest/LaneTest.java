package org.rankside.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.rankside.client.Embeddings;

class LaneTest {
    private static final long LINGER = Duration.ofMillis(5).toNanos();

    private final AtomicLong now = new AtomicLong(-3);
    private final List<Batch> sent = new ArrayList<>();
    private final List<Runnable> answers = new ArrayList<>();
    private final List<Runnable> timers = new ArrayList<>();
    private boolean closed;
    private final Lane lane =
            new Lane(
                    (batch, answered) -> {
                        sent.add(batch);
                        answers.add(() -> answered.accept(answer(batch), null));
                    },
                    (delay, work) -> {
                        if (closed) {
                            throw new IllegalStateException("closed");
                        }
                        timers.add(work);
                    },
                    new Silence(),
                    new Patience(now::get, () -> 1),
                    now::get);

    /** A log that nobody reads. */
    private static final class Silence implements Log {
        @Override
        public void failing(String why) {}

        @Override
        public void recovered() {}
    }

    @Test
    void textsThatComeOneByOneTravelTogetherWhenTheyHaveLingered() {
        List<CompletableFuture<float[]>> vectors = offer(3);
        assertEquals(List.of(), sizes());
        timers.getFirst().run(); // too early: others are waited for as long as is said
        assertEquals(List.of(), sizes());
        now.addAndGet(LINGER);
        timers.get(1).run();
        assertEquals(List.of(3), sizes());
        assertEquals(2, timers.size());
        answers.getFirst().run();
        vectors.forEach(vector -> assertEquals(1, vector.join().length));
    }

    @Test
    void aFullBatchDoesNotLinger() {
        offer(10);
        assertEquals(List.of(4, 4), sizes());
        now.addAndGet(LINGER);
        timers.getFirst().run();
        assertEquals(List.of(4, 4), sizes()); // two calls are under way, and no more are allowed
        answers.getFirst().run();
        assertEquals(List.of(4, 4, 2), sizes());
    }

    @Test
    void whatComesAfterABatchLingersForItself() {
        offer(5);
        assertEquals(List.of(4), sizes());
        answers.getFirst().run();
        assertEquals(List.of(4), sizes());
        now.addAndGet(LINGER);
        timers.getFirst().run();
        assertEquals(List.of(4, 1), sizes());
    }

    @Test
    void aNodeThatGoesDownSendsAtOnce() {
        closed = true;
        offer(1);
        assertEquals(List.of(1), sizes());
    }

    @Test
    void oneTimerIsEnoughForAllThatLinger() {
        IntStream.range(0, 3).forEach(any -> offer(1));
        assertEquals(1, timers.size());
        assertTrue(sent.isEmpty());
    }

    private List<Integer> sizes() {
        return sent.stream().map(batch -> batch.jobs().size()).toList();
    }

    /** Texts that are offered one by one, by two calls of four texts at a time. */
    private List<CompletableFuture<float[]>> offer(int texts) {
        Asking asking =
                new Asking(
                        List.of(URI.create("http://a")), null, Duration.ofSeconds(1), 4, 2,
                        Duration.ZERO, Duration.ofNanos(LINGER));
        List<CompletableFuture<float[]>> vectors = new ArrayList<>();
        for (int at = 0; at < texts; at++) {
            vectors.add(new CompletableFuture<>());
            lane.offer(List.of(new Batch.Job(asking, "f", "text", vectors.getLast())));
        }
        return vectors;
    }

    private static Embeddings.Answer answer(Batch batch) {
        return new Embeddings.Answer(Collections.nCopies(batch.jobs().size(), new float[] {1}));
    }
}
