package org.rankside.opensearch.search;

import java.time.Duration;
import org.opensearch.action.search.SearchRequest;
import org.opensearch.common.unit.TimeValue;

/** When the time for reranking a search is over. */
record Deadline(long nanos) {
    /**
     * The pipeline's timeout from now, and no later than the request's own limits from its start.
     *
     * <p>The engine's {@code timeout} is for a shard's work and begins anew with the user's own
     * request. What it cancels the whole search after is shared with that request: half for each.
     *
     * @param cancelAfter of the cluster, for requests that do not say it
     * @param started of the search, in {@link System#nanoTime} nanoseconds
     */
    static Deadline of(
            SearchRequest request, TimeValue timeout, TimeValue cancelAfter, long started) {
        TimeValue own = request.getCancelAfterTimeInterval();
        TimeValue cancelled = own == null ? cancelAfter : own;
        long nanos = System.nanoTime() + timeout.nanos();
        nanos = earlier(nanos, started, nanos(request.source().timeout()));
        return new Deadline(earlier(nanos, started, nanos(cancelled) / 2));
    }

    /** What is left; zero or less where it is over. */
    Duration left() {
        return Duration.ofNanos(nanos - System.nanoTime());
    }

    /** Zero where there is no limit: it is not said, or -1. */
    private static long nanos(TimeValue limit) {
        return limit == null ? 0 : Math.max(limit.nanos(), 0);
    }

    private static long earlier(long nanos, long started, long limit) {
        long end = started + limit;
        return limit > 0 && end - nanos < 0 ? end : nanos;
    }
}
