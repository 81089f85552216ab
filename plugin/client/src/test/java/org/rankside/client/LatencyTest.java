package org.rankside.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LatencyTest {
    private static final long MILLISECOND = 1_000_000;

    /** One call in this bucket. */
    static Latency one(int bucket, long nanos) {
        List<Long> buckets = new ArrayList<>(Collections.nCopies(Latency.BOUNDS.size() + 1, 0L));
        buckets.set(bucket, 1L);
        return new Latency(buckets, nanos);
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "1, 0", "1.000001, 1", "2, 1", "49.9, 5", "5000, 11", "5000.000001, 12", "1e6, 12"})
    void aCallIsInTheBucketUpToWhoseBoundItTook(double milliseconds, int bucket) {
        long nanos = Math.round(milliseconds * MILLISECOND);
        Stats stats = new Stats();
        stats.answered("/v1/listwise", nanos);
        assertEquals(one(bucket, nanos), stats.snapshot().latency().get("listwise"));
    }

    @Test
    void twoAreAddedBucketByBucket() {
        Latency sum = one(0, 3).plus(one(12, 4)).plus(one(12, 5));
        assertEquals(List.of(1L, 0L, 0L, 0L, 0L, 0L, 0L, 0L, 0L, 0L, 0L, 0L, 2L), sum.buckets());
        assertEquals(12, sum.nanos());
        assertEquals(3, sum.count());
    }

    @Test
    void bucketsOfOtherBoundsAreRefused() {
        List<Long> buckets = List.of(1L);
        assertThrows(IllegalArgumentException.class, () -> new Latency(buckets, 1));
    }
}
