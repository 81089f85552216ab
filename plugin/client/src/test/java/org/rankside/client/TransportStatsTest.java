package org.rankside.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class TransportStatsTest {
    private static final Duration LONG = Duration.ofSeconds(20);

    private final Stats stats = new Stats();
    private final SidecarSettings settings =
            new SidecarSettings(
                    Duration.ofSeconds(5), 1, 2000, 1,
                    Duration.ofMinutes(1), Duration.ofMinutes(1), null);
    private final Transport transport = new Transport(settings, Runnable::run, stats);
    private Fake fake;

    @BeforeEach
    void open() throws IOException {
        fake = new Fake(Fake.says(200, "good"));
    }

    @AfterEach
    void close() {
        transport.close();
        fake.close();
    }

    @Test
    void anAnswerIsCountedOnceHoweverManyAddressesWereAsked() throws Exception {
        send(LONG, Fake.nowhere(), fake.address()).get();
        assertOutcomes(Map.of("answered", 1L));
        Latency latency = stats.snapshot().latency().get("listwise");
        assertEquals(1, latency.count());
        assertTrue(latency.nanos() > 0 && latency.nanos() < LONG.toNanos());
    }

    @Test
    void aFailureIsCountedByItsReasonAndNotTimed() {
        fake.behaviour = Fake.says(429, "busy");
        fails(send(LONG, fake.address()));
        assertOutcomes(Map.of("overloaded", 1L));
        assertEquals(Map.of(), stats.snapshot().latency());
    }

    @Test
    void aRefusalThatIsKnownBeforeIsCountedAsTheCallThatIsNotMade() {
        assertTrue(transport.refusal(List.of(fake.address()), "/v1/listwise").isEmpty());
        assertEquals(Map.of(), stats.snapshot().calls());
        fake.behaviour = Fake.says(500, "broken");
        fails(send(LONG, fake.address()));
        assertTrue(transport.refusal(List.of(fake.address()), "/v1/listwise").isPresent());
        assertOutcomes(Map.of("sidecar_rejected", 1L, "circuit_open", 1L));
    }

    @Test
    void aCallNobodyWaitsForIsCountedOnce() {
        fake.behaviour = fake.hangs();
        send(LONG, fake.address()).cancel(true);
        assertOutcomes(Map.of("cancelled", 1L));
    }

    @Test
    void aCallThatIsLateIsCountedOnce() {
        fake.behaviour = fake.hangs();
        fails(send(Duration.ofMillis(50), fake.address()));
        assertOutcomes(Map.of("deadline", 1L));
    }

    @Test
    void callsThatWereNeverSentAreCountedToo() {
        fails(send(Duration.ZERO, fake.address()));
        fake.behaviour = fake.hangs();
        CompletableFuture<String> first = send(LONG, fake.address());
        fails(send(LONG, fake.address()));
        first.cancel(true);
        fake.behaviour = Fake.says(500, "broken");
        fails(send(LONG, fake.address()));
        fails(send(LONG, fake.address()));
        assertOutcomes(
                Map.of(
                        "deadline", 1L,
                        "too_many_in_flight", 1L,
                        "cancelled", 1L,
                        "sidecar_rejected", 1L,
                        "circuit_open", 1L));
    }

    private CompletableFuture<String> send(Duration timeout, URI... addresses) {
        return transport.send(
                new Request<>(
                        List.of(addresses), "/v1/listwise", null, new byte[0], timeout, String::new));
    }

    private void assertOutcomes(Map<String, Long> outcomes) {
        assertEquals(Map.of("listwise", outcomes), stats.snapshot().calls());
    }

    private static void fails(CompletableFuture<?> call) {
        assertThrows(ExecutionException.class, call::get);
    }
}
