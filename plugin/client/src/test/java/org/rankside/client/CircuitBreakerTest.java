package org.rankside.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.rankside.client.CircuitBreaker.State;

class CircuitBreakerTest {
    private static final long SECOND = 1_000_000_000L;

    private long now = -5; // System.nanoTime may be negative, and may overflow
    private final CircuitBreaker breaker =
            new CircuitBreaker(3, Duration.ofSeconds(2), Duration.ofSeconds(5), () -> now);

    @Test
    void failuresInARowOpenIt() {
        fail(2);
        breaker.succeeded();
        fail(2);
        assertTrue(breaker.tryPass());
        breaker.failed();
        assertFalse(breaker.tryPass());
    }

    @Test
    void oneCallProbesWhenTheTimeIsOver() {
        fail(3);
        now += 2 * SECOND - 1;
        assertFalse(breaker.tryPass());
        now += 1;
        assertTrue(breaker.tryPass());
        assertEquals(State.HALF_OPEN, breaker.state());
        assertFalse(breaker.tryPass());
        breaker.succeeded();
        assertTrue(breaker.tryPass());
        assertTrue(breaker.tryPass());
    }

    @Test
    void whoOnlyAsksTakesNoProbesPlace() {
        assertTrue(breaker.mayPass());
        fail(3);
        assertFalse(breaker.mayPass());
        now += 2 * SECOND;
        assertTrue(breaker.mayPass());
        assertTrue(breaker.mayPass());
        assertEquals(State.OPEN, breaker.state());
        assertTrue(breaker.tryPass());
        assertFalse(breaker.mayPass());
    }

    @Test
    void afterEachFailedProbeItStaysOpenTwiceAsLong() {
        fail(3);
        probe(2);
        breaker.failed();
        probe(4);
        breaker.failed();
        probe(5);
        breaker.succeeded();
        fail(3);
        probe(2);
    }

    @Test
    void anAbandonedProbeIsMadeAgain() {
        fail(3);
        probe(2);
        breaker.abandoned();
        assertTrue(breaker.tryPass());
    }

    @Test
    void callsThatWereUnderWayWhenItOpenedDoNotProlongIt() {
        fail(3);
        now += SECOND;
        breaker.failed();
        now += SECOND;
        assertTrue(breaker.tryPass());
    }

    private void fail(int times) {
        for (int n = 0; n < times; n++) {
            assertTrue(breaker.tryPass());
            breaker.failed();
        }
    }

    private void probe(long seconds) {
        now += seconds * SECOND - 1;
        assertFalse(breaker.tryPass());
        now += 1;
        assertTrue(breaker.tryPass());
    }
}
