package org.rankside.opensearch.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.rankside.opensearch.search.Hits.ids;
import static org.rankside.opensearch.search.Hits.windowHit;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.opensearch.action.search.SearchRequest;
import org.opensearch.action.support.IndicesOptions;
import org.opensearch.core.tasks.TaskId;
import org.opensearch.index.IndexNotFoundException;
import org.opensearch.index.query.MatchQueryBuilder;
import org.opensearch.search.builder.SearchSourceBuilder;
import org.rankside.search.Asking;
import org.rankside.search.Judgement;
import org.rankside.search.PassThrough;
import org.rankside.search.WindowHit;

@Timeout(60)
class AskingFactoryTest {
    @TempDir private Path home;
    private Stage stage;
    private AskingFactory askings;

    @BeforeEach
    void set() {
        stage = new Stage(home);
        askings = stage.askings();
    }

    @AfterEach
    void close() {
        stage.close();
    }

    @Test
    void aSearchIsJudgedByWhatItsIndexSays() {
        SearchRequest request = request("i");
        Judgement judgement =
                askings.aboutWindow(request, rerank(request, ""), "water").join();
        assertEquals("m", judgement.model());
        assertEquals(List.of("1", "2", "3"), ids(judgement.window()));
        assertEquals("f", stage.script.listwiseCalls.getLast().get("vector_fingerprint"));
        assertEquals("water", stage.script.listwiseCalls.getLast().get("query"));
    }

    @Test
    void whoAsksForAnExplanationHasTheWholeWindowLookedAt() {
        SearchRequest request = request("i");
        request.source().explain(true);
        Judgement judgement =
                askings.aboutWindow(request, rerank(request, "'window': 5"), "water").join();
        assertEquals(List.of("1", "2", "3", "4", "5"), ids(judgement.window()));
    }

    @Test
    void ourSearchesAreChildrenOfTheUsers() {
        SearchRequest request = request("i");
        Rerank rerank = new Rerank(request, Engine.task(42));
        rerank.begin(stage.parameters(""));
        askings.aboutWindow(request, rerank, "water").join();
        assertEquals(new TaskId("node", 42), stage.engine.asked.getFirst().getParentTask());
    }

    @Test
    void aSearchWithoutATaskHasNoChildren() {
        SearchRequest request = request("i");
        askings.aboutWindow(request, rerank(request, ""), "water").join();
        assertFalse(stage.engine.asked.getFirst().getParentTask().isSet());
    }

    @Test
    void whereNoIndexIsSearchedThereIsNothingToDo() {
        SearchRequest request = request("films-*");
        assertPassed("no_hits", request, null);
        assertPassed("no_hits", request, List.of(windowHit("1", 1)));
        assertEquals(List.of(), stage.asked());
    }

    @Test
    void anIndexThatIsNotThereIsForTheEngineToRefuse() {
        SearchRequest request =
                request("films").indicesOptions(IndicesOptions.strictExpandOpen());
        Throwable error =
                Stage.failure(askings.aboutWindow(request, rerank(request, ""), "water"));
        assertInstanceOf(IndexNotFoundException.class, error);
    }

    @Test
    void hitsAreOrderedByTheTextOfTheRequest() {
        stage.shelf.byVector.put(Shelf.place(2), 2f);
        SearchRequest request = request("i");
        Asking.Ordered ordered =
                askings.aboutHits(
                                request,
                                rerank(request, ""),
                                List.of(windowHit("1", 1), windowHit("2", 0.5f)))
                        .join();
        assertEquals(List.of("2", "1"), ids(ordered.hits()));
        assertEquals("cold water", stage.script.listwiseCalls.getLast().get("query"));
    }

    @Test
    void noHitsNeedNoOrder() {
        assertPassed("no_hits", request("i"), List.of());
        assertEquals(List.of(), stage.asked());
    }

    @Test
    void theMarksBetweenTheHitsOfAHybridQueryAreNoScores() {
        List<WindowHit> raw =
                List.of(windowHit("1", -9.5e9f), windowHit("2", 3), windowHit("1", -4.4e9f));
        PassThrough passed = assertPassed("hybrid_not_normalized", request("i"), raw);
        assertEquals(
                "the hybrid query's scores are not normalized; add neural-search's"
                        + " normalization-processor to the search pipeline",
                passed.getMessage());
        assertTrue(passed.failed());
        assertEquals(List.of(), stage.asked());
    }

    /** Of a window, or of hits where they are given. */
    private PassThrough assertPassed(String reason, SearchRequest request, List<WindowHit> hits) {
        Rerank rerank = rerank(request, "");
        Throwable error =
                Stage.failure(
                        hits == null
                                ? askings.aboutWindow(request, rerank, "water")
                                : askings.aboutHits(request, rerank, hits));
        PassThrough passed = assertInstanceOf(PassThrough.class, error);
        assertEquals(reason, passed.reason());
        return passed;
    }

    private Rerank rerank(SearchRequest request, String parameters) {
        Rerank rerank = new Rerank(request, null);
        rerank.begin(stage.parameters(parameters));
        return rerank;
    }

    private static SearchRequest request(String index) {
        SearchSourceBuilder source =
                new SearchSourceBuilder().query(new MatchQueryBuilder("text", "cold water"));
        return new SearchRequest(index).source(source);
    }
}
