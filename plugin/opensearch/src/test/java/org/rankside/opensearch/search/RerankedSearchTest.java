package org.rankside.opensearch.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.opensearch.OpenSearchStatusException;
import org.opensearch.action.search.SearchRequest;
import org.opensearch.action.search.SearchResponse;
import org.opensearch.core.action.ActionListener;
import org.opensearch.core.rest.RestStatus;
import org.opensearch.index.query.MatchQueryBuilder;
import org.opensearch.search.SearchHit;
import org.opensearch.search.builder.SearchSourceBuilder;
import org.opensearch.search.collapse.CollapseBuilder;
import org.opensearch.search.rescore.QueryRescorerBuilder;
import org.rankside.client.RescoreWeights;
import org.rankside.client.Stats;
import org.rankside.opensearch.vector.VectorQueryBuilder;
import org.rankside.search.Script;

/** A search from its request to its response, but for what the engine does between them. */
@Timeout(60)
class RerankedSearchTest {
    @TempDir private Path home;
    private final Stats stats = new Stats();
    private final SearchSourceBuilder source =
            new SearchSourceBuilder().query(new MatchQueryBuilder("text", "cold water"));
    private final SearchRequest request = new SearchRequest("i").source(source);
    private Stage stage;
    private Reranker reranker;
    private Rerank rerank;

    @BeforeEach
    void set() {
        stage = new Stage(home);
        reranker = new Reranker(stage.askings(), stats);
        for (int number = 1; number <= 6; number++) {
            stage.shelf.byVector.put(Shelf.place(number), number * 2f);
        }
    }

    @AfterEach
    void close() {
        stage.close();
    }

    @Test
    void theRequestGetsOneRescorerBehindTheUsers() {
        QueryRescorerBuilder users =
                new QueryRescorerBuilder(new MatchQueryBuilder("title", "new"));
        source.from(2).size(2).addRescorer(users);
        assertSame(request, sent("'window': 50").join());
        QueryRescorerBuilder ours =
                new QueryRescorerBuilder(
                        new VectorQueryBuilder("v", new float[] {3, 4}).hashes("h", "f"));
        ours.setQueryWeight(RescoreWeights.of(0.25, 6).query());
        ours.setRescoreQueryWeight(RescoreWeights.of(0.25, 6).rescore());
        ours.windowSize(50);
        assertEquals(List.of(users, ours), source.rescores());
        assertEquals(2, source.from());
        assertEquals(2, source.size());
        SearchResponse answer = answered();
        assertEquals("reranked", Engine.said(answer).get("status"));
        assertEquals("rescore", Engine.said(answer).get("method"));
        assertEquals(Map.of("reranked", 1L), stats.snapshot().searches());
    }

    @Test
    void whatIsInTheNatureOfARequestIsNoFailureAndAsksNobody() {
        source.size(0);
        SearchSourceBuilder before = source.shallowCopy();
        sent("'on_failure': 'fail'").join();
        assertEquals(before, source);
        assertEquals("size_0", Engine.said(answered()).get("reason"));
        assertEquals(List.of(), stage.asked());
        assertEquals(List.of(), stage.engine.asked);
    }

    @Test
    void aSearchThatCannotBeRerankedIsLeftAsItWas() {
        stage.script.listwise = Script.VECTOR.replace("'f'", "'g'");
        SearchSourceBuilder before = source.shallowCopy();
        sent("").join();
        assertEquals(before, source);
        Map<String, Object> said = Engine.said(answered());
        assertEquals("passed_through", said.get("status"));
        assertEquals("stale_vectors", said.get("reason"));
        assertTrue(said.get("detail").toString().contains("rankside backfill"));
        assertEquals(Map.of("passed_through", 1L), stats.snapshot().searches());
    }

    @Test
    void whoWantsAnErrorInsteadGetsOneWithTheRemedy() {
        stage.script.listwise = Script.VECTOR.replace("'f'", "'g'");
        Throwable error = Stage.failure(sent("'on_failure': 'fail'"));
        OpenSearchStatusException refused =
                assertInstanceOf(OpenSearchStatusException.class, error);
        assertEquals(RestStatus.SERVICE_UNAVAILABLE, refused.status());
        assertEquals(
                "rankside could not rerank (stale_vectors): the vectors of this index are f, and the"
                        + " sidecar's m is g; run `rankside backfill`, or serve the index's model",
                refused.getMessage());
        assertEquals(Map.of("failed", 1L), stats.snapshot().searches());
    }

    @Test
    void whatTheEngineDoesNotRescoreIsAskedForWholeAndOrderedThenCut() {
        source.from(1).size(2).collapse(new CollapseBuilder("kind"));
        sent("'window': 4").join();
        assertEquals(0, source.from());
        assertEquals(4, source.size());
        assertNull(source.rescores());
        assertEquals(List.of(), stage.asked());
        SearchResponse answer = answered();
        assertEquals(List.of("3", "2"), ids(answer)); // of 4, 3, 2, 1
        assertEquals("reranked", Engine.said(answer).get("status"));
        assertEquals("reorder", Engine.said(answer).get("method"));
    }

    @Test
    void aPageBeyondTheWindowIsFetchedTooAndLeftInPlace() {
        source.from(3).size(2).collapse(new CollapseBuilder("kind"));
        sent("'window': 2").join();
        assertEquals(5, source.size());
        assertEquals(List.of("4", "5"), ids(answered()));
    }

    @Test
    void aPageThatCannotBeOrderedIsThatOfTheFirstStage() {
        stage.script.listwise = "{}";
        source.from(1).size(2).collapse(new CollapseBuilder("kind"));
        sent("").join();
        SearchResponse answer = answered();
        assertEquals(List.of("2", "3"), ids(answer));
        assertEquals("unusable_answer", Engine.said(answer).get("reason"));
    }

    @Test
    void whoWantsAnErrorInsteadOfAPageGetsOne() {
        stage.script.listwise = "{}";
        source.collapse(new CollapseBuilder("kind"));
        sent("'on_failure': 'fail'").join();
        Answered answered = answer();
        assertNull(answered.response);
        assertInstanceOf(OpenSearchStatusException.class, answered.error);
    }

    @Test
    void theRequestsOwnWordIsHeard() {
        source.ext(new RanksideExt(Map.of("strategy", "none")).among(source.ext()));
        sent("").join();
        assertNull(source.rescores());
        Map<String, Object> said = Engine.said(answered());
        assertEquals("strategy_none", said.get("reason"));
        assertEquals("none", said.get("strategy"));
    }

    /** The request as it is handed to the engine. */
    private CompletableFuture<SearchRequest> sent(String pipeline) {
        rerank = new Rerank(request, null);
        CompletableFuture<SearchRequest> handed = new CompletableFuture<>();
        reranker.request(
                request,
                stage.parameters(pipeline),
                rerank,
                ActionListener.wrap(handed::complete, handed::completeExceptionally));
        return handed;
    }

    private SearchResponse answered() {
        Answered answered = answer();
        assertNull(answered.error);
        return answered.response;
    }

    /** What the user gets for what the engine finds by the request. */
    private Answered answer() {
        CompletableFuture<SearchResponse> found = new CompletableFuture<>();
        if (source.size() < 0) {
            source.size(10);
        }
        stage.shelf.to(request, ActionListener.wrap(found::complete, found::completeExceptionally));
        Answered answered = new Answered();
        CompletableFuture<Void> done = new CompletableFuture<>();
        reranker.response(
                request,
                rerank,
                found.join(),
                ActionListener.runAfter(answered, () -> done.complete(null)));
        done.join();
        return answered;
    }

    private static List<String> ids(SearchResponse response) {
        return Arrays.stream(response.getHits().getHits()).map(SearchHit::getId).toList();
    }
}
