package org.rankside.opensearch.search;

import java.time.Duration;
import org.opensearch.action.search.SearchRequest;
import org.opensearch.common.unit.TimeValue;
import org.rankside.search.Deadline;

/** Until when a search of the engine may be worked on. */
final class Deadlines {
    private Deadlines() {}

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
            SearchRequest request, Duration timeout, TimeValue cancelAfter, long started) {
        TimeValue own = request.getCancelAfterTimeInterval();
        Duration cancelled = duration(own == null ? cancelAfter : own);
        return Deadline.in(timeout)
                .noLaterThan(started, duration(request.source().timeout()))
                .noLaterThan(started, cancelled == null ? null : cancelled.dividedBy(2));
    }

    private static Duration duration(TimeValue limit) {
        return limit == null ? null : Duration.ofNanos(limit.nanos());
    }
}
