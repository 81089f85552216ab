package org.rankside.opensearch.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.opensearch.OpenSearchStatusException;
import org.opensearch.action.search.SearchPhaseExecutionException;
import org.opensearch.action.search.SearchRequest;
import org.opensearch.action.search.ShardSearchFailure;
import org.opensearch.core.concurrency.OpenSearchRejectedExecutionException;
import org.opensearch.core.rest.RestStatus;
import org.opensearch.core.tasks.TaskCancelledException;
import org.opensearch.index.query.MatchAllQueryBuilder;
import org.opensearch.search.builder.SearchSourceBuilder;
import org.opensearch.search.rescore.QueryRescorerBuilder;
import org.rankside.client.Stats;
import org.rankside.search.Judgement;
import org.rankside.search.Parameters;

/** What becomes of a search whose rescore the engine did not take. */
@Timeout(30)
class RerankerTest {
    private static final Exception REFUSED = new IllegalArgumentException("no rescore with that");
    private static final QueryRescorerBuilder OURS =
            new QueryRescorerBuilder(new MatchAllQueryBuilder());

    private final Engine engine = new Engine();
    private final SearchRequest request =
            new SearchRequest("books").source(new SearchSourceBuilder().from(5));
    private final Answered answered = new Answered();
    private final Stats stats = new Stats();
    private final Reranker reranker =
            new Reranker(
                    new AskingFactory(engine.client, null, engine.threads, null, null, null), stats);

    @AfterEach
    void close() {
        engine.close();
    }

    @Test
    void aRefusedSearchIsAskedAgainWithoutTheRescoreAndSaysSo() {
        reranker.failure(rescored(Map.of()), REFUSED, answered);
        SearchRequest again = engine.asked.get(0);
        assertNull(again.source().rescores());
        assertEquals(5, again.source().from());
        assertEquals("none", RanksideExt.of(again.source()).get("strategy"));
        Map<String, Object> said = Engine.said(answered.response);
        assertEquals("passed_through", said.get("status"));
        assertEquals("rescore_refused", said.get("reason"));
        assertEquals(
                "the engine refused the request with the rescore: no rescore with that",
                said.get("detail"));
        assertEquals(Map.of("passed_through", 1L), stats.snapshot().searches());
    }

    @Test
    void whoWantsAnErrorGetsOne() {
        reranker.failure(rescored(Map.of("on_failure", "fail")), REFUSED, answered);
        OpenSearchStatusException error =
                assertInstanceOf(OpenSearchStatusException.class, answered.error);
        assertEquals(RestStatus.SERVICE_UNAVAILABLE, error.status());
        assertTrue(error.getMessage().startsWith("rankside could not rerank (rescore_refused): "));
        assertEquals(Map.of("failed", 1L), stats.snapshot().searches());
    }

    @Test
    void aSearchThatIsRefusedWithoutTheRescoreTooSaysWhatItSaidFirst() {
        engine.answer = (again, listener) -> listener.onFailure(new IllegalStateException("again"));
        reranker.failure(rescored(Map.of()), REFUSED, answered);
        assertSame(REFUSED, answered.error);
    }

    @Test
    void aSearchThatWasLeftAsItWasIsNotAskedAgain() {
        Rerank rerank = rescored(Map.of());
        rerank.rescored(null, List.of());
        reranker.failure(rerank, REFUSED, answered);
        assertSame(REFUSED, answered.error);
        assertEquals(List.of(), engine.asked);
    }

    @Test
    void neitherIsACancelledOneNorOneThatAFullNodeRejected() {
        for (Exception error :
                List.of(
                        new TaskCancelledException("by user request"),
                        new OpenSearchRejectedExecutionException("full"))) {
            Exception whole =
                    new SearchPhaseExecutionException(
                            "query", "all shards failed", error, ShardSearchFailure.EMPTY_ARRAY);
            reranker.failure(rescored(Map.of()), whole, answered);
            assertSame(whole, answered.error);
        }
        assertEquals(List.of(), engine.asked);
    }

    @Test
    void aClientThatThrowsLeavesNobodyWaiting() {
        engine.answer =
                (again, listener) -> {
                    throw new TaskCancelledException("the parent task was cancelled");
                };
        reranker.failure(rescored(Map.of()), REFUSED, answered);
        assertSame(REFUSED, answered.error);
    }

    @Test
    void shardsThatFailedInTheRescoreAreAskedAgainWithoutIt() {
        ShardSearchFailure failure = new ShardSearchFailure(new IllegalStateException("bad vector"));
        reranker.response(request, rescored(Map.of()), Engine.response(failure), answered);
        assertEquals(0, answered.response.getFailedShards());
        assertEquals(
                "rescore_failed_on_shards:1", Engine.said(answered.response).get("reason"));
    }

    @Test
    void shardsThatFailWithoutItTooAreTheEnginesAnswer() {
        ShardSearchFailure failure = new ShardSearchFailure(new IllegalStateException("gone"));
        engine.answer = (again, listener) -> listener.onResponse(Engine.response(failure));
        reranker.response(request, rescored(Map.of()), Engine.response(failure), answered);
        assertEquals(1, answered.response.getFailedShards());
        assertEquals("reranked", Engine.said(answered.response).get("status"));
    }

    @Test
    void shardsThatAFullNodeRejectedAreNotAskedAgain() {
        ShardSearchFailure failure =
                new ShardSearchFailure(new OpenSearchRejectedExecutionException("full"));
        reranker.response(request, rescored(Map.of()), Engine.response(failure), answered);
        assertEquals(List.of(), engine.asked);
        assertEquals(1, answered.response.getFailedShards());
    }

    /** A search to which a rescorer of ours was added. */
    private Rerank rescored(Map<String, Object> parameters) {
        Rerank rerank = new Rerank(request, null);
        Map<String, Object> all = new HashMap<>(parameters);
        all.put("url", "http://127.0.0.1:1");
        rerank.begin(Parameters.ofPipeline(all));
        Judgement judgement =
                new Judgement(List.of(), List.of(), "model", Map.of(), List.of(), null, 0);
        request.source().clearRescorers();
        request.source().addRescorer(OURS);
        rerank.rescored(judgement, List.of(OURS));
        return rerank;
    }
}
