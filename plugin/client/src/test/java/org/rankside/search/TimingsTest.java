package org.rankside.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class TimingsTest {
    private final Timings timings = new Timings();

    @Test
    void aStageIsAsLongAsItsFuture() throws Exception {
        CompletableFuture<String> call = new CompletableFuture<>();
        CompletableFuture<String> timed = timings.of("sidecar", call);
        Thread.sleep(20);
        assertEquals(List.of("total"), List.copyOf(timings.all().keySet()));
        call.complete("answer");
        assertEquals("answer", timed.join());
        assertTrue(millis("sidecar") >= 20);
        assertTrue(millis("total") >= millis("sidecar"));
    }

    @Test
    void aStageThatFailedTookTimeToo() {
        timings.of("window", CompletableFuture.failedFuture(new IllegalStateException()));
        assertTrue(timings.all().containsKey("window"));
    }

    @Test
    void partsOfAStageAddUp() {
        timings.add("window", 1.25);
        timings.add("rescore", 8);
        timings.add("window", 2.5);
        Map<String, Object> all = timings.all();
        assertEquals(3.75, all.get("window"));
        assertEquals(List.of("window", "rescore", "total"), List.copyOf(all.keySet()));
    }

    @Test
    void theyAreRoundedToTheMicrosecond() {
        timings.add("window", 0.0126);
        assertEquals(0.013, timings.all().get("window"));
    }

    @Test
    void wholeMillisecondsCountFromTheStart() throws Exception {
        Thread.sleep(5);
        long spent = timings.millis();
        assertTrue(spent >= 5 && spent <= (System.nanoTime() - timings.started()) / 1_000_000);
    }

    private double millis(String stage) {
        return (Double) timings.all().get(stage);
    }
}
