package org.rankside.opensearch.search;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.rankside.opensearch.search.Hits.hit;
import static org.rankside.opensearch.search.Hits.windowHit;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.lucene.search.SortField;
import org.apache.lucene.search.TotalHits;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.opensearch.action.OriginalIndices;
import org.opensearch.action.search.SearchRequest;
import org.opensearch.action.search.SearchResponse;
import org.opensearch.action.search.ShardSearchFailure;
import org.opensearch.common.xcontent.json.JsonXContent;
import org.opensearch.core.common.bytes.BytesReference;
import org.opensearch.core.index.shard.ShardId;
import org.opensearch.core.xcontent.ToXContent;
import org.opensearch.core.xcontent.XContentBuilder;
import org.opensearch.search.DocValueFormat;
import org.opensearch.search.SearchHit;
import org.opensearch.search.SearchHits;
import org.opensearch.search.SearchShardTarget;
import org.opensearch.search.aggregations.InternalAggregations;
import org.opensearch.search.aggregations.metrics.InternalMax;
import org.opensearch.search.builder.SearchSourceBuilder;
import org.opensearch.search.internal.InternalSearchResponse;
import org.opensearch.search.pipeline.ProcessorExecutionDetail;
import org.opensearch.search.profile.NetworkTime;
import org.opensearch.search.profile.ProfileShardResult;
import org.opensearch.search.profile.SearchProfileShardResults;
import org.opensearch.search.profile.aggregation.AggregationProfileShardResult;
import org.opensearch.search.profile.fetch.FetchProfileShardResult;
import org.opensearch.search.suggest.SortBy;
import org.opensearch.search.suggest.Suggest;
import org.opensearch.search.suggest.term.TermSuggestion;
import org.rankside.search.Judgement;
import org.rankside.search.Parameters;
import org.rankside.search.PassThrough;
import org.rankside.search.WindowHit;

class ResponsesTest {
    /** Those with all that a response may have, and one with as little as it may have. */
    static Stream<SearchResponse> responses() {
        return Stream.of(full(null, "pit"), full("scroll", null), response(hits(3)));
    }

    @ParameterizedTest
    @MethodSource("responses")
    void whatTheEngineAnsweredIsLeftAsItWas(SearchResponse response) throws IOException {
        Map<String, Object> before = printed(response);
        SearchResponse answer = Responses.with(response, passed(new SearchSourceBuilder()));
        Map<String, Object> after = printed(answer);
        Map<String, Object> ext = Cases.objectAt(after, "ext");
        assertEquals("passed_through", Cases.objectAt(ext, "rankside").get("status"));
        ext.remove("rankside");
        if (ext.isEmpty()) {
            after.remove("ext");
        }
        before.remove("took"); // which is the whole search's, and has a test of its own
        after.remove("took");
        assertEquals(before, after);
        assertEquals(response.pointInTimeId(), answer.pointInTimeId());
        assertEquals(response.getSkippedShards(), answer.getSkippedShards());
    }

    @Test
    void theTestsOwnResponseLacksNothing() throws IOException {
        assertTrue(
                printed(full())
                        .keySet()
                        .containsAll(
                                List.of(
                                        "pit_id", "took", "phase_took", "timed_out",
                                        "terminated_early", "num_reduce_phases", "_shards",
                                        "_clusters", "hits", "aggregations", "suggest", "profile",
                                        "ext", "processor_results")));
    }

    @Test
    void whatWasSaidOfTheSameSearchBeforeGivesWay() throws IOException {
        SearchResponse twice =
                Responses.with(
                        Responses.with(full(), passed(new SearchSourceBuilder())),
                        judged(new SearchSourceBuilder(), List.of()));
        Map<String, Object> ext = Cases.objectAt(printed(twice), "ext");
        assertEquals("reranked", Cases.objectAt(ext, "rankside").get("status"));
        assertEquals("theirs", Cases.objectAt(ext, "other").get("said"));
    }

    @Test
    void whatItTookIsNoShorterThanTheSearchWas() throws InterruptedException {
        Rerank rerank = passed(new SearchSourceBuilder());
        Thread.sleep(20);
        assertTrue(Responses.with(response(hits(1)), rerank).getTook().millis() >= 20);
        assertEquals(60_000, Responses.with(full(), rerank).getTook().millis());
    }

    @Test
    void whoAsksForAnExplanationLearnsWhereEachHitWas() {
        SearchResponse response = response(hits(3));
        List<WindowHit> window = List.of(windowHit("2", 9), windowHit("9", 8), windowHit("0", 7));
        Responses.with(response, judged(new SearchSourceBuilder().explain(true), window));
        assertEquals(
                Map.of("first_stage_rank", 3, "first_stage_score", 7f),
                response.getHits().getAt(0).field("rankside").getValue());
        assertNull(response.getHits().getAt(1).field("rankside"));
        assertEquals(
                Map.of("first_stage_rank", 1, "first_stage_score", 9f),
                response.getHits().getAt(2).field("rankside").getValue());
    }

    @Test
    void whoAsksForNoneOrWasNotRerankedLearnsNothing() {
        SearchResponse response = response(hits(1));
        List<WindowHit> window = List.of(windowHit("0", 9));
        Responses.with(response, judged(new SearchSourceBuilder(), window));
        Responses.with(response, judged(new SearchSourceBuilder().explain(false), window));
        Responses.with(response, passed(new SearchSourceBuilder().explain(true)));
        assertNull(response.getHits().getAt(0).field("rankside"));
        assertNotNull(
                Responses.with(response, judged(new SearchSourceBuilder().explain(true), window))
                        .getHits()
                        .getAt(0)
                        .field("rankside"));
    }

    @ParameterizedTest
    @CsvSource({
        "0, 10, 3 1 0 2 4 5",
        "0, 2, 3 1",
        "2, 2, 0 2",
        "3, 2, 2 4", // beyond the window hits stand where they stood
        "4, 10, 4 5",
        "6, 10, ''",
        "100, 10, ''",
    })
    void aPageIsCutFromTheNewOrder(int from, int size, String ids) {
        SearchResponse page = page(response(hits(6)), from, size, "3", "1", "0", "2");
        assertEquals(
                ids,
                String.join(
                        " ", Arrays.stream(page.getHits().getHits()).map(SearchHit::getId).toList()));
    }

    @Test
    void aGroupKeepsItsHit() {
        SearchHits hits =
                new SearchHits(
                        hits(4),
                        new TotalHits(9, TotalHits.Relation.EQUAL_TO),
                        8f,
                        new SortField[] {SortField.FIELD_SCORE},
                        "kind",
                        new Object[] {"a", "b", "c", "d"});
        SearchHits page = page(response(hits), 0, 3, "2", "0", "1").getHits();
        assertArrayEquals(new Object[] {"c", "a", "b"}, page.getCollapseValues());
        assertEquals("kind", page.getCollapseField());
        assertEquals(9, page.getTotalHits().value());
        assertEquals(8f, page.getMaxScore());
        assertArrayEquals(hits.getSortFields(), page.getSortFields());
    }

    @Test
    void allElseOfAPageIsAsItWas() throws IOException {
        Map<String, Object> before = printed(full());
        Map<String, Object> after = printed(page(full(), 0, 10, "1", "0"));
        assertEquals(
                List.of("1", "0", "2"),
                Cases.objectsAt(Cases.objectAt(after, "hits"), "hits").stream()
                        .map(one -> one.get("_id"))
                        .toList());
        Cases.objectAt(before, "hits").remove("hits");
        Cases.objectAt(after, "hits").remove("hits");
        assertEquals(before, after);
    }

    private static SearchResponse page(SearchResponse response, int from, int size, String... ids) {
        Rerank rerank = passed(new SearchSourceBuilder());
        rerank.reorderLater(new Rerank.Page(from, size));
        List<WindowHit> order = Arrays.stream(ids).map(id -> windowHit(id, 1)).toList();
        return Responses.page(response, order, rerank);
    }

    private static Rerank passed(SearchSourceBuilder source) {
        Rerank rerank = new Rerank(new SearchRequest("i").source(source), null);
        rerank.begin(Parameters.ofPipeline(Cases.object("{'url': 'http://a:1'}")));
        rerank.pass(new PassThrough("no_hits"));
        return rerank;
    }

    private static Rerank judged(SearchSourceBuilder source, List<WindowHit> window) {
        Rerank rerank = passed(source);
        rerank.rescored(new Judgement(window, List.of(), "m", Map.of(), List.of(), null, 0), List.of());
        return rerank;
    }

    private static SearchHit[] hits(int count) {
        return IntStream.range(0, count)
                .mapToObj(at -> hit("i", "" + at, 100f / (at + 1), "{'t': 'x'}", Map.of()))
                .toArray(SearchHit[]::new);
    }

    private static SearchResponse response(SearchHit[] hits) {
        return response(new SearchHits(hits, null, Float.NaN));
    }

    private static SearchResponse response(SearchHits hits) {
        return new SearchResponse(
                new InternalSearchResponse(hits, null, null, null, false, null, 1),
                null, 1, 1, 0, 0, ShardSearchFailure.EMPTY_ARRAY, SearchResponse.Clusters.EMPTY);
    }

    private static SearchResponse full() {
        return full(null, "pit");
    }

    private static SearchResponse full(String scroll, String pointInTime) {
        TermSuggestion suggestion = new TermSuggestion("s", 3, SortBy.SCORE);
        ProfileShardResult profile =
                new ProfileShardResult(
                        List.of(),
                        new AggregationProfileShardResult(List.of()),
                        new FetchProfileShardResult(List.of()),
                        new NetworkTime(1, 2));
        SearchShardTarget shard =
                new SearchShardTarget("n", new ShardId("i", "u", 1), null, OriginalIndices.NONE);
        InternalSearchResponse sections =
                new InternalSearchResponse(
                        new SearchHits(hits(3), new TotalHits(7, TotalHits.Relation.EQUAL_TO), 3f),
                        InternalAggregations.from(
                                List.of(new InternalMax("m", 4, DocValueFormat.RAW, Map.of()))),
                        new Suggest(new ArrayList<>(List.of(suggestion))),
                        new SearchProfileShardResults(Map.of("shard", profile)),
                        true,
                        true,
                        3,
                        List.of(new Other()),
                        List.of(new ProcessorExecutionDetail("theirs")));
        return new SearchResponse(
                sections, scroll, 5, 3, 1, 60_000,
                new SearchResponse.PhaseTook(Map.of("query", 3L)),
                new ShardSearchFailure[] {new ShardSearchFailure(new IOException("lost"), shard)},
                new SearchResponse.Clusters(3, 2, 1), pointInTime);
    }

    private static Map<String, Object> printed(SearchResponse response) throws IOException {
        try (XContentBuilder builder = JsonXContent.contentBuilder()) {
            response.toXContent(builder, ToXContent.EMPTY_PARAMS);
            return Cases.object(BytesReference.bytes(builder).utf8ToString());
        }
    }
}
