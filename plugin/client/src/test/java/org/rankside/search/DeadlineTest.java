package org.rankside.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

class DeadlineTest {
    private final long now = System.nanoTime();
    private final Deadline inAMinute = new Deadline(now + Duration.ofMinutes(1).toNanos());

    @Test
    void theEarlierLimitHolds() {
        Deadline sooner = inAMinute.noLaterThan(now, Duration.ofSeconds(30));
        assertEquals(Duration.ofSeconds(30).toNanos(), sooner.nanos() - now);
        assertEquals(inAMinute, inAMinute.noLaterThan(now, Duration.ofSeconds(90)));
    }

    @Test
    void aLimitCountsFromTheStart() {
        long before = now - Duration.ofSeconds(50).toNanos();
        assertTrue(inAMinute.noLaterThan(before, Duration.ofSeconds(40)).left().isNegative());
    }

    @ParameterizedTest
    @NullSource
    @ValueSource(strings = {"PT0S", "PT-0.001S"})
    void thereMayBeNoLimit(Duration none) {
        assertEquals(inAMinute, inAMinute.noLaterThan(now, none));
    }

    @ParameterizedTest
    @ValueSource(strings = {"PT2562047H", "P300000000D"})
    void ofAgesItIsNotOver(Duration ages) {
        assertTrue(Deadline.in(ages).left().toDays() > 365);
        assertEquals(inAMinute, inAMinute.noLaterThan(now, ages));
    }
}
