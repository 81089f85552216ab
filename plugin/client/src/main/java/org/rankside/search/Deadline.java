package org.rankside.search;

import java.time.Duration;

/**
 * When the time for reranking a search is over.
 *
 * @param nanos in {@link System#nanoTime} nanoseconds
 */
public record Deadline(long nanos) {
    /** After {@code timeout} from now. */
    public static Deadline in(Duration timeout) {
        return new Deadline(System.nanoTime() + nanos(timeout));
    }

    /**
     * This one, or where that is earlier {@code limit} after {@code started}.
     *
     * @param started in {@link System#nanoTime} nanoseconds
     * @param limit null, zero or less where there is none
     */
    public Deadline noLaterThan(long started, Duration limit) {
        if (limit == null || limit.isNegative() || limit.isZero()) {
            return this;
        }
        long end = started + nanos(limit);
        return end - nanos < 0 ? new Deadline(end) : this;
    }

    /** What is left; zero or less where it is over. */
    public Duration left() {
        return Duration.ofNanos(nanos - System.nanoTime());
    }

    /** Of ages, as much as the clock's differences can hold. */
    private static long nanos(Duration duration) {
        Duration most = Duration.ofNanos(Long.MAX_VALUE / 4);
        return (duration.compareTo(most) < 0 ? duration : most).toNanos();
    }
}
