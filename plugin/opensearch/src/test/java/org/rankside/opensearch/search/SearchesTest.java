package org.rankside.opensearch.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.opensearch.action.search.SearchPhaseExecutionException;
import org.opensearch.action.search.SearchRequest;
import org.opensearch.action.search.ShardSearchFailure;
import org.opensearch.core.common.breaker.CircuitBreaker;
import org.opensearch.core.common.breaker.CircuitBreakingException;
import org.opensearch.core.concurrency.OpenSearchRejectedExecutionException;
import org.opensearch.core.tasks.TaskCancelledException;
import org.opensearch.core.tasks.TaskId;
import org.opensearch.search.SearchHit;
import org.opensearch.search.builder.SearchSourceBuilder;
import org.rankside.search.Deadline;
import org.rankside.search.PassThrough;

@Timeout(30)
class SearchesTest {
    private static final Exception CANCELLED =
            new SearchPhaseExecutionException(
                    "query",
                    "all shards failed",
                    new IllegalStateException(new TaskCancelledException("by user request")),
                    ShardSearchFailure.EMPTY_ARRAY);
    private static final TaskId PARENT = new TaskId("node", 7);
    private final Engine engine = new Engine();
    private final Searches searches = new Searches(engine.client, engine.threads, PARENT);
    private final SearchRequest user =
            new SearchRequest("books").preference("_local").pipeline("reranked");

    @AfterEach
    void close() {
        engine.close();
    }

    @Test
    void aSearchOfOursIsAChildOfTheUsersGoesWhereHisGoesAndThroughNoPipeline() {
        assertEquals(0, window(20_000).join().length);
        SearchRequest asked = engine.asked.get(0);
        assertEquals("books", asked.indices()[0]);
        assertEquals("_local", asked.preference());
        assertEquals("_none", asked.pipeline());
        assertEquals(PARENT, asked.getParentTask());
        long after = asked.getCancelAfterTimeInterval().millis();
        assertTrue(after > 10_000 && after <= 20_000);
    }

    @Test
    void noTimeLeftIsNotSpentOnASearch() {
        assertEquals("deadline", ((PassThrough) failure(window(0))).reason());
        assertEquals(0, engine.asked.size());
    }

    @Test
    void aWindowThatLacksAShardIsNone() {
        engine.answer =
                (request, listener) ->
                        listener.onResponse(
                                Engine.response(
                                        new ShardSearchFailure(new IllegalStateException("broken"))));
        PassThrough passed = (PassThrough) failure(window(20_000));
        assertEquals("engine_rejected", passed.reason());
        assertTrue(passed.getMessage().startsWith("the window search failed on 1 shards"));
    }

    @Test
    void aClientThatThrowsInsteadOfFailingFailsTheSearch() {
        IllegalStateException closed = new IllegalStateException("closed");
        engine.answer =
                (request, listener) -> {
                    throw closed;
                };
        assertSame(closed, failure(searches.run(user)));
    }

    @Test
    void aSearchOfOursThatRanOutOfTimeIsLate() {
        engine.answer = (request, listener) -> listener.onFailure(CANCELLED);
        assertEquals("deadline", ((PassThrough) failure(window(20_000))).reason());
        engine.answer =
                (request, listener) -> {
                    throw new TaskCancelledException("by user request");
                };
        assertEquals("deadline", ((PassThrough) failure(window(20_000))).reason());
    }

    @Test
    void cancelledSearchesAndFullNodesAreNoFailuresOfOurs() {
        assertTrue(Searches.noneOfOurs(CANCELLED));
        assertTrue(Searches.noneOfOurs(new OpenSearchRejectedExecutionException("full")));
        assertTrue(
                Searches.noneOfOurs(
                        new SearchPhaseExecutionException(
                                "query",
                                "full",
                                new CircuitBreakingException(
                                        "too much", CircuitBreaker.Durability.TRANSIENT),
                                ShardSearchFailure.EMPTY_ARRAY)));
        assertFalse(Searches.noneOfOurs(new IllegalArgumentException("no rescore here")));
        assertFalse(Searches.noneOfOurs(new IllegalStateException("bug")));
    }

    private CompletableFuture<SearchHit[]> window(long millis) {
        Deadline deadline = new Deadline(System.nanoTime() + Duration.ofMillis(millis).toNanos());
        return searches.run(user, new SearchSourceBuilder(), deadline);
    }

    private static Throwable failure(CompletableFuture<?> search) {
        return assertThrows(CompletionException.class, search::join).getCause();
    }
}
