package org.rankside.opensearch.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.opensearch.action.search.SearchRequest;
import org.opensearch.common.unit.TimeValue;
import org.opensearch.search.builder.SearchSourceBuilder;
import org.rankside.search.Deadline;

class DeadlinesTest {
    private static final TimeValue NONE = TimeValue.MINUS_ONE;

    /** Seconds: the pipeline's timeout, the request's, its cancel_after, the cluster's; what is left. */
    @ParameterizedTest
    @CsvSource({
        "100, , , , 100", // only the pipeline's
        "100, 40, , , 40", // the request's own is shorter
        "100, 400, , , 100", // or longer
        "100, , 60, , 30", // half of it, for the user's own request has to be answered too
        "100, , 600, , 100",
        "100, , , 60, 30", // what the cluster says holds for requests that say nothing
        "100, , 80, 60, 40", // and for no other
        "100, 20, 60, , 20", // the shortest of all
        "100, 50, 60, , 30",
    })
    void theShortestLimitHolds(int timeout, Integer own, Integer cancel, Integer cluster, int left) {
        long started = System.nanoTime();
        Deadline deadline =
                Deadlines.of(
                        request(own, cancel),
                        Duration.ofSeconds(timeout),
                        cluster == null ? NONE : TimeValue.timeValueSeconds(cluster),
                        started);
        Duration after = Duration.ofNanos(deadline.nanos() - started);
        // What passed before the pipeline's own time begins is not known to the nanosecond.
        assertEquals(left, after.plusMillis(1).toSeconds());
        assertTrue(deadline.left().compareTo(after) <= 0);
    }

    @Test
    void aRequestMayTurnTheClustersLimitOff() {
        SearchRequest request = request(null, null);
        request.setCancelAfterTimeInterval(NONE);
        Deadline deadline =
                Deadlines.of(
                        request,
                        Duration.ofSeconds(100),
                        TimeValue.timeValueSeconds(60),
                        System.nanoTime());
        assertTrue(deadline.left().toSeconds() > 60);
    }

    @Test
    void theRequestsLimitsCountFromTheStartOfTheSearch() {
        long started = System.nanoTime() - TimeUnit.SECONDS.toNanos(50);
        Duration timeout = Duration.ofSeconds(100);
        assertTrue(Deadlines.of(request(40, null), timeout, NONE, started).left().isNegative());
        assertTrue(Deadlines.of(request(null, 80), timeout, NONE, started).left().isNegative());
        assertTrue(Deadlines.of(request(null, null), timeout, NONE, started).left().toSeconds() > 90);
    }

    @Test
    void aTimeoutOfAgesIsNotOver() {
        Duration ages = Duration.ofNanos(Long.MAX_VALUE);
        long started = System.nanoTime();
        assertTrue(Deadlines.of(request(null, null), ages, NONE, started).left().toDays() > 365);
        Deadline shorter = Deadlines.of(request(40, null), ages, NONE, started);
        assertEquals(TimeUnit.SECONDS.toNanos(40), shorter.nanos() - started);
    }

    private static SearchRequest request(Integer timeout, Integer cancelAfter) {
        SearchSourceBuilder source = new SearchSourceBuilder();
        if (timeout != null) {
            source.timeout(TimeValue.timeValueSeconds(timeout));
        }
        SearchRequest request = new SearchRequest().source(source);
        if (cancelAfter != null) {
            request.setCancelAfterTimeInterval(TimeValue.timeValueSeconds(cancelAfter));
        }
        return request;
    }
}
