package org.rankside.client;

import java.util.ArrayList;
import java.util.List;

/**
 * How long calls took, as counts in buckets.
 *
 * @param buckets calls above the bound before and up to that of {@link #BOUNDS}; the last has none
 * @param nanos of all of them together
 */
public record Latency(List<Long> buckets, long nanos) {
    /** Upper bounds in milliseconds; one more bucket has all that took longer. */
    public static final List<Integer> BOUNDS =
            List.of(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000);

    /**
     * A copy of its own.
     *
     * @throws IllegalArgumentException there are more buckets than bounds, or fewer
     */
    public Latency {
        buckets = List.copyOf(buckets);
        if (buckets.size() != BOUNDS.size() + 1) {
            throw new IllegalArgumentException(buckets.size() + " buckets, which are others");
        }
    }

    /** Calls in all buckets. */
    public long count() {
        return buckets.stream().mapToLong(Long::longValue).sum();
    }

    /** These and the other's. */
    public Latency plus(Latency other) {
        List<Long> sums = new ArrayList<>();
        for (int bucket = 0; bucket < buckets.size(); bucket++) {
            sums.add(buckets.get(bucket) + other.buckets.get(bucket));
        }
        return new Latency(sums, nanos + other.nanos);
    }
}
