package org.rankside.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.rankside.client.Reason;
import org.rankside.client.SidecarException;

class PatienceTest {
    private final AtomicLong now = new AtomicLong(-5);
    private double random = 1;
    private final Patience patience = new Patience(now::get, () -> random);

    @Test
    void whatWasNotRefusedForNowIsNotTriedAgain() {
        assertNull(patience.pause(batch(60), new SidecarException(Reason.SIDECAR_UNAVAILABLE, "gone")));
        assertNull(patience.pause(batch(60), new SidecarException(Reason.CIRCUIT_OPEN, "open")));
    }

    @Test
    void pausesGrowUpToAQuarterOfAMinute() {
        Batch batch = batch(600);
        List<Long> pauses = new ArrayList<>();
        for (int at = 0; at < 8; at++) {
            pauses.add(patience.pause(batch, refused(batch)).toMillis());
        }
        assertEquals(List.of(500L, 1000L, 2000L, 4000L, 8000L, 15_000L, 15_000L, 15_000L), pauses);
        random = 0;
        assertEquals(7500, patience.pause(batch, refused(batch)).toMillis());
    }

    @Test
    void itEndsWithTheTimeThatAllCallsShare() {
        Batch first = batch(10);
        assertEquals(500, patience.pause(first, refused(first)).toMillis());
        now.addAndGet(Duration.ofMillis(9900).toNanos());
        Batch second = batch(10);
        assertEquals(100, patience.pause(second, refused(second)).toMillis());
        now.addAndGet(Duration.ofMillis(100).toNanos());
        assertNull(patience.pause(first, refused(first)));
        patience.renew();
        Batch third = batch(10);
        assertEquals(500, patience.pause(third, refused(third)).toMillis());
    }

    private static Batch batch(int retryFor) {
        Asking asking =
                new Asking(
                        List.of(URI.create("http://a")), null, Duration.ofSeconds(1), 1, 1,
                        Duration.ofSeconds(retryFor), Duration.ZERO);
        return new Batch(List.of(new Batch.Job(asking, "f", "text", new CompletableFuture<>())));
    }

    /** The first refusal comes with an answer; later ones find the circuit that it opened. */
    private static SidecarException refused(Batch batch) {
        batch.triedAgain();
        return new SidecarException(Reason.CIRCUIT_OPEN, "open");
    }
}
