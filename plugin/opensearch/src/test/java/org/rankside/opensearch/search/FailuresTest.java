package org.rankside.opensearch.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.opensearch.action.search.SearchPhaseExecutionException;
import org.opensearch.action.search.ShardSearchFailure;
import org.opensearch.core.common.breaker.CircuitBreaker;
import org.opensearch.core.common.breaker.CircuitBreakingException;
import org.opensearch.core.concurrency.OpenSearchRejectedExecutionException;
import org.opensearch.core.tasks.TaskCancelledException;
import org.opensearch.index.IndexNotFoundException;
import org.rankside.client.Reason;
import org.rankside.client.SidecarException;

class FailuresTest {
    private static final Exception CANCELLED =
            new SearchPhaseExecutionException(
                    "query",
                    "all shards failed",
                    new IllegalStateException(new TaskCancelledException("by user request")),
                    ShardSearchFailure.EMPTY_ARRAY);

    @Test
    void whatIsKnownIsHandedOnAsItIs() {
        PassThrough known = new PassThrough("no_hits");
        assertSame(known, Failures.of(wrapped(known)));
    }

    @Test
    void theSidecarsReasonAndSentenceAreTheUsers() {
        PassThrough passed =
                Failures.of(wrapped(new SidecarException(Reason.OVERLOADED, "wait a little")));
        assertEquals("overloaded", passed.reason());
        assertEquals("wait a little", passed.getMessage());
        assertTrue(passed.failed());
    }

    @Test
    void aSearchOfOursThatRanOutOfTimeIsLate() {
        PassThrough passed = Failures.of(wrapped(CANCELLED));
        assertEquals("deadline", passed.reason());
        assertTrue(passed.failed());
    }

    @Test
    void aCancelledFutureIsACancelledSearch() {
        assertTrue(Failures.cancelled(Failures.of(wrapped(new CancellationException()))));
        assertTrue(
                Failures.cancelled(
                        Failures.of(new SidecarException(Reason.CANCELLED, "cancelled"))));
        assertFalse(Failures.cancelled(Searches.late()));
    }

    @Test
    void anythingElseIsTheEngines() {
        PassThrough passed = Failures.of(wrapped(new IndexNotFoundException("books")));
        assertEquals("engine_rejected", passed.reason());
        assertEquals(
                "a search beside the user's own failed: no such index [books]", passed.getMessage());
    }

    @Test
    void aWrapperWithoutACauseIsItsOwnCause() {
        CompletionException empty = new CompletionException("odd", null);
        assertSame(empty, Failures.cause(empty));
    }

    @Test
    void cancelledSearchesAndFullNodesAreNoFailuresOfOurs() {
        assertTrue(Failures.noneOfOurs(CANCELLED));
        assertTrue(Failures.noneOfOurs(new OpenSearchRejectedExecutionException("full")));
        assertTrue(
                Failures.noneOfOurs(
                        new SearchPhaseExecutionException(
                                "query",
                                "full",
                                new CircuitBreakingException(
                                        "too much", CircuitBreaker.Durability.TRANSIENT),
                                ShardSearchFailure.EMPTY_ARRAY)));
        assertFalse(Failures.noneOfOurs(new IllegalArgumentException("no rescore here")));
        assertFalse(Failures.noneOfOurs(new IllegalStateException("bug")));
    }

    private static Throwable wrapped(Throwable error) {
        return new CompletionException(new CompletionException(error));
    }
}
