package org.rankside.opensearch.search;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.rankside.opensearch.search.Hits.hit;
import static org.rankside.opensearch.search.Hits.ids;
import static org.rankside.opensearch.search.Hits.windowHit;
import static org.rankside.opensearch.search.Shelf.place;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.opensearch.action.search.SearchRequest;
import org.opensearch.action.search.SearchType;
import org.opensearch.action.support.IndicesOptions;
import org.opensearch.common.unit.TimeValue;
import org.opensearch.core.tasks.TaskId;
import org.opensearch.index.query.MatchQueryBuilder;
import org.opensearch.index.query.TermQueryBuilder;
import org.opensearch.script.Script;
import org.opensearch.search.aggregations.AggregationBuilders;
import org.opensearch.search.builder.PointInTimeBuilder;
import org.opensearch.search.builder.SearchSourceBuilder;
import org.opensearch.search.collapse.CollapseBuilder;
import org.opensearch.search.fetch.subphase.highlight.HighlightBuilder;
import org.opensearch.search.rescore.QueryRescorerBuilder;
import org.opensearch.search.slice.SliceBuilder;
import org.opensearch.search.sort.ScoreSortBuilder;
import org.opensearch.search.suggest.SuggestBuilder;
import org.rankside.opensearch.vector.VectorQueryBuilder;
import org.rankside.search.Comparison;
import org.rankside.search.Deadline;
import org.rankside.search.Place;
import org.rankside.search.Target;
import org.rankside.search.Wanted;
import org.rankside.search.WindowHit;

class WindowSearchTest {
    private static final Comparison BY = new Comparison("v", new float[] {3, 4}, "h", "f");
    private static final Target TARGET =
            new Target(List.of("title", Shelf.TEXT), Shelf.VECTOR, 2, "f", Shelf.HASH, List.of());
    private static final TaskId PARENT = new TaskId("node", 7);

    private final Engine engine = new Engine();
    private final Shelf shelf = new Shelf(6);
    private final SearchSourceBuilder users =
            new SearchSourceBuilder().query(new MatchQueryBuilder("title", "water"));
    private final SearchRequest user = new SearchRequest("books").source(users);

    WindowSearchTest() {
        engine.answer = shelf;
    }

    @AfterEach
    void close() {
        engine.close();
    }

    @Test
    void textsAreFetchedOfThoseHitsThatAreReadAndHashesOfAll() {
        List<WindowHit> window = window(new Wanted(2, 5, 0));
        assertEquals(List.of("1", "2", "3", "4", "5"), ids(window));
        assertEquals("text 2", window.get(1).text());
        assertNull(window.get(2).text());
        assertEquals(5f, window.get(1).score());
        assertTrue(window.stream().allMatch(one -> one.fingerprint().equals("f")));
        assertEquals(2, engine.asked.size());
        assertEquals(
                first(2).fetchSource(new String[] {"title", "text"}, null).docValueField("h"),
                asked(0));
        assertEquals(first(5).fetchSource(false).docValueField("h"), asked(1));
    }

    @Test
    void vectorsAreFetchedByASearchOfTheirOwn() {
        List<WindowHit> window = window(new Wanted(3, 3, 2));
        assertEquals("text 2", window.get(1).text());
        assertArrayEquals(new float[] {1, 2}, window.get(1).vector());
        assertNull(window.get(2).vector());
        assertEquals("f", window.get(1).fingerprint());
        assertEquals(2, engine.asked.size());
        assertEquals(first(2).fetchSource(false).fetchField("v"), asked(1));
    }

    @Test
    void whereNoTextIsReadNoneIsFetched() {
        assertEquals(List.of("1", "2", "3"), ids(window(new Wanted(0, 3, 0))));
        assertEquals(1, engine.asked.size());
        assertEquals(first(3).fetchSource(false).docValueField("h"), asked(0));
    }

    @Test
    void whereTheIndexHasNoHashesNoneAreAskedFor() {
        Target bare = new Target(List.of("text"), "v", 2, "f", null, List.of());
        List<WindowHit> window = search(bare).window(new Wanted(1, 1, 0)).join();
        assertNull(window.get(0).fingerprint());
        assertEquals(first(1).fetchSource(new String[] {"text"}, null), asked(0));
    }

    @Test
    void whatDecidesTheFirstStageIsTheUsersAndNothingElseIs() {
        users.from(30)
                .size(3)
                .postFilter(new TermQueryBuilder("kind", "book"))
                .minScore(0.5f)
                .slice(new SliceBuilder(1, 2))
                .terminateAfter(1000)
                .indexBoost("books", 2)
                .addRescorer(new QueryRescorerBuilder(new TermQueryBuilder("new", true)).windowSize(9))
                .sort(new ScoreSortBuilder())
                .aggregation(AggregationBuilders.max("m").field("year"))
                .highlighter(new HighlightBuilder().field("title"))
                .suggest(new SuggestBuilder().setGlobalText("x"))
                .collapse(new CollapseBuilder("kind"))
                .timeout(TimeValue.timeValueSeconds(3))
                .trackTotalHits(true)
                .explain(true)
                .profile(true)
                .version(true)
                .trackScores(true)
                .storedField("title")
                .fetchSource("title", null)
                .docValueField("year")
                .fetchField("year")
                .scriptField("s", new Script("1"))
                .ext(List.of(new Other()));
        window(new Wanted(2, 2, 0));
        SearchSourceBuilder expected =
                first(2)
                        .postFilter(users.postFilter())
                        .minScore(0.5f)
                        .slice(new SliceBuilder(1, 2))
                        .terminateAfter(1000)
                        .indexBoost("books", 2)
                        .addRescorer(
                                new QueryRescorerBuilder(new TermQueryBuilder("new", true))
                                        .windowSize(9))
                        .fetchSource(new String[] {"title", "text"}, null)
                        .docValueField("h");
        assertEquals(expected, asked(0));
    }

    @Test
    void aSearchOfAllSearchesAll() {
        user.source(new SearchSourceBuilder());
        assertEquals(6, window(new Wanted(0, 10, 0)).size());
        assertNull(asked(0).query());
    }

    @Test
    void everySearchGoesWhereTheUsersGoesAsAChildOfItAndThroughNoPipeline() {
        user.routing("r")
                .preference("_local")
                .searchType(SearchType.DFS_QUERY_THEN_FETCH)
                .indicesOptions(IndicesOptions.lenientExpandOpen())
                .allowPartialSearchResults(false)
                .requestCache(true)
                .pipeline("reranked");
        user.setMaxConcurrentShardRequests(2);
        user.setPreFilterShardSize(50);
        window(new Wanted(1, 2, 1));
        search(TARGET).withTexts(List.of(windowHit("1", 1))).join();
        search(TARGET).withVectors(List.of(windowHit("1", 1))).join();
        search(TARGET).scores(List.of(place(1)), BY).join();
        assertEquals(6, engine.asked.size());
        for (SearchRequest asked : engine.asked) {
            assertArrayEquals(new String[] {"books"}, asked.indices());
            assertEquals("r", asked.routing());
            assertEquals("_local", asked.preference());
            assertEquals(SearchType.DFS_QUERY_THEN_FETCH, asked.searchType());
            assertEquals(IndicesOptions.lenientExpandOpen(), asked.indicesOptions());
            assertEquals(false, asked.allowPartialSearchResults());
            assertEquals(2, asked.getMaxConcurrentShardRequests());
            assertEquals(50, asked.getPreFilterShardSize());
            assertEquals("_none", asked.pipeline());
            assertEquals(PARENT, asked.getParentTask());
            assertNotNull(asked.getCancelAfterTimeInterval());
            assertNull(asked.source().pointInTimeBuilder());
        }
    }

    @Test
    void everySearchSeesThePointInTimeThatTheUserSees() {
        PointInTimeBuilder moment =
                new PointInTimeBuilder("id").setKeepAlive(TimeValue.timeValueMinutes(1));
        user.indices(new String[0]);
        users.pointInTimeBuilder(moment);
        window(new Wanted(1, 2, 1));
        search(TARGET).withTexts(List.of(windowHit("1", 1))).join();
        search(TARGET).withVectors(List.of(windowHit("1", 1))).join();
        search(TARGET).scores(List.of(place(1)), BY).join();
        assertEquals(6, engine.asked.size());
        engine.asked.forEach(one -> assertSame(moment, one.source().pointInTimeBuilder()));
    }

    @Test
    void theLongestAnswerSaysWhichHitsThereAre() {
        engine.answer =
                (request, listener) ->
                        listener.onResponse(
                                request.source().size() == 1
                                        ? Shelf.response(hit("i", "new", 9, "{'text': 'x'}", Map.of()))
                                        : Shelf.response(hit("i", "1", 8), hit("i", "2", 7)));
        List<WindowHit> window = window(new Wanted(1, 2, 0));
        assertEquals(List.of("1", "2"), ids(window)); // a document came between the two searches
        assertNull(window.get(0).text());
    }

    @Test
    void oneIdInTwoIndicesIsTwoHits() {
        engine.answer =
                (request, listener) ->
                        listener.onResponse(
                                Shelf.response(hit("a", "1", 3), hit("b", "1", 2), hit("a", "1", 1)));
        assertEquals(
                List.of(new Place("a", "1"), new Place("b", "1")),
                window(new Wanted(0, 5, 0)).stream().map(WindowHit::place).toList());
    }

    @Test
    void oneSearchThatFailsFailsAll() {
        engine.answer =
                (request, listener) -> {
                    if (request.source().size() == 5) {
                        listener.onFailure(new IllegalStateException("broken"));
                    } else {
                        shelf.to(request, listener);
                    }
                };
        CompletionException error =
                assertThrows(CompletionException.class, () -> window(new Wanted(2, 5, 0)));
        assertEquals("broken", error.getCause().getMessage());
    }

    @Test
    void textsAreAddedToTheHitsThatHaveNone() {
        WindowHit read = new WindowHit(place(4), 9, "as it was", null, "g");
        List<WindowHit> hits =
                search(TARGET)
                        .withTexts(List.of(windowHit("5", 8), read, windowHit("gone", 7)))
                        .join();
        assertEquals(List.of("5", "4", "gone"), ids(hits));
        assertEquals(
                Arrays.asList("text 5", "as it was", null),
                hits.stream().map(WindowHit::text).toList());
        assertEquals(
                Arrays.asList("f", "g", null),
                hits.stream().map(WindowHit::fingerprint).toList());
        assertEquals(8f, hits.get(0).score());
        assertEquals(
                new SearchSourceBuilder()
                        .query(Places.among(List.of(place(5), new Place("i", "gone"))))
                        .size(2)
                        .trackTotalHits(false)
                        .fetchSource(new String[] {"title", "text"}, null)
                        .docValueField("h"),
                asked(0));
    }

    @Test
    void whereAllIsKnownNothingIsAsked() {
        List<WindowHit> read = List.of(new WindowHit(place(4), 9, "as it was", null, "g"));
        assertEquals(read, search(TARGET).withTexts(read).join());
        assertEquals(List.of(), search(TARGET).withTexts(List.of()).join());
        assertEquals(List.of(), search(TARGET).withVectors(List.of()).join());
        assertEquals(0, engine.asked.size());
    }

    @Test
    void soundVectorsAreAddedToHits() {
        shelf.change(2, one -> one.vector(List.of(1, 2, 3)));
        List<WindowHit> hits =
                search(TARGET)
                        .withVectors(
                                List.of(windowHit("2", 8), windowHit("1", 7), windowHit("gone", 6)))
                        .join();
        assertEquals(List.of("2", "1", "gone"), ids(hits));
        assertNull(hits.get(0).vector());
        assertArrayEquals(new float[] {1, 1}, hits.get(1).vector());
        assertEquals("f", hits.get(1).fingerprint());
        assertEquals(7f, hits.get(1).score());
        assertNull(hits.get(2).vector());
    }

    @Test
    void scoresAreOfThoseOfTheHitsThatTheQueryMatches() {
        shelf.byVector.putAll(Map.of(place(1), 1.5f, place(2), 0.5f, place(3), 2f));
        assertEquals(
                Map.of(place(1), 1.5f, place(3), 2f),
                search(TARGET).scores(List.of(place(3), place(1), place(4)), BY).join());
        assertEquals(
                new SearchSourceBuilder()
                        .query(Places.only(List.of(place(3), place(1), place(4)), new VectorQueryBuilder(BY)))
                        .size(3)
                        .fetchSource(false)
                        .trackTotalHits(false),
                asked(0));
    }

    private List<WindowHit> window(Wanted wanted) {
        return search(TARGET).window(wanted).join();
    }

    private WindowSearch search(Target target) {
        Deadline deadline = new Deadline(System.nanoTime() + Duration.ofSeconds(20).toNanos());
        Searches searches = new Searches(engine.client, engine.threads, PARENT);
        return new WindowSearch(searches, user, target, deadline);
    }

    private SearchSourceBuilder asked(int number) {
        return engine.asked.get(number).source();
    }

    /** A search of the first stage for so many hits. */
    private SearchSourceBuilder first(int size) {
        return new SearchSourceBuilder().query(users.query()).size(size).trackTotalHits(false);
    }
}
