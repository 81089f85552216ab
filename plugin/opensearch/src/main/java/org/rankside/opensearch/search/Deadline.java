package org.rankside.opensearch.search;

import java.time.Duration;
import org.opensearch.action.search.SearchRequest;
import org.opensearch.common.unit.TimeValue;

/** When the time for reranking a search is over. */
record Deadline(long nanos) {
    /**
     * The pipeline's timeout from now, and no later than the request's own limits from its start.
     *
     * @param started of the search, in {@link System#nanoTime} nanoseconds
     */
    static Deadline of(SearchRequest request, TimeValue timeout, long started) {
        long nanos = System.nanoTime() + timeout.nanos();
        nanos = earlier(nanos, started, request.source().timeout());
        return new Deadline(earlier(nanos, started, request.getCancelAfterTimeInterval()));
    }

    /** What is left; zero or less where it is over. */
    Duration left() {
        return Duration.ofNanos(nanos - System.nanoTime());
    }

    private static long earlier(long nanos, long started, TimeValue limit) {
        if (limit == null || limit.nanos() <= 0) { // not said, or -1: none
            return nanos;
        }
        long end = started + limit.nanos();
        return end - nanos < 0 ? end : nanos;
    }
}
