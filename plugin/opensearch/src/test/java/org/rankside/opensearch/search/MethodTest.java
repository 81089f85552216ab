package org.rankside.opensearch.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.opensearch.action.search.SearchRequest;
import org.opensearch.common.unit.TimeValue;
import org.opensearch.common.xcontent.json.JsonXContent;
import org.opensearch.core.xcontent.DeprecationHandler;
import org.opensearch.core.xcontent.NamedXContentRegistry;
import org.opensearch.core.xcontent.XContentParser;
import org.opensearch.index.query.BoolQueryBuilder;
import org.opensearch.index.query.MatchQueryBuilder;
import org.opensearch.script.Script;
import org.opensearch.search.aggregations.AggregationBuilders;
import org.opensearch.search.builder.PointInTimeBuilder;
import org.opensearch.search.builder.SearchSourceBuilder;
import org.opensearch.search.collapse.CollapseBuilder;
import org.opensearch.search.fetch.subphase.highlight.HighlightBuilder;
import org.opensearch.search.sort.FieldSortBuilder;
import org.opensearch.search.sort.ScoreSortBuilder;
import org.opensearch.search.sort.SortOrder;
import org.rankside.search.PassThrough;

class MethodTest {
    static Stream<Consumer<SearchSourceBuilder>> rescored() {
        return Stream.of(
                source -> {},
                source -> source.size(1).from(500),
                source -> source.sort(new ScoreSortBuilder()),
                source -> source.aggregation(AggregationBuilders.max("m").field("f")),
                source -> source.highlighter(new HighlightBuilder().field("t")),
                source -> source.trackTotalHits(false).minScore(1).explain(true),
                source -> source.pointInTimeBuilder(new PointInTimeBuilder("id")),
                // Only a hybrid query that is the whole query is one.
                source -> source.query(new BoolQueryBuilder().must(new Named("hybrid"))),
                source -> source.query(new Named("neural")));
    }

    static Stream<Consumer<SearchSourceBuilder>> reordered() {
        return Stream.of(
                source -> source.query(new Named("hybrid")),
                source -> source.collapse(new CollapseBuilder("f")),
                source -> source.derivedField("d", "keyword", new Script("emit('x')")),
                source -> parse(source, "{'derived': {'d': {'type': 'keyword'}}}"));
    }

    static Stream<Arguments> passed() {
        return Stream.of(
                Arguments.of("size_0", source(one -> one.size(0))),
                Arguments.of("sorted_by_field", source(one -> one.sort("f"))),
                Arguments.of(
                        "sorted_by_field",
                        source(one -> one.sort(new ScoreSortBuilder()).sort(new FieldSortBuilder("f")))),
                Arguments.of(
                        "sorted_by_field",
                        source(one -> one.sort(new ScoreSortBuilder().order(SortOrder.ASC)))),
                Arguments.of(
                        "search_after",
                        source(
                                one ->
                                        one.sort(new ScoreSortBuilder())
                                                .searchAfter(new Object[] {1.5f}))));
    }

    private static void parse(SearchSourceBuilder source, String json) {
        try (XContentParser parser =
                JsonXContent.jsonXContent.createParser(
                        NamedXContentRegistry.EMPTY,
                        DeprecationHandler.THROW_UNSUPPORTED_OPERATION,
                        json.replace('\'', '"'))) {
            source.parseXContent(parser);
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
    }

    private static Consumer<SearchSourceBuilder> source(Consumer<SearchSourceBuilder> change) {
        return change;
    }

    @ParameterizedTest
    @MethodSource("rescored")
    void aSearchByScoreIsRescored(Consumer<SearchSourceBuilder> change) {
        assertEquals(Method.RESCORE, Method.of(request(change)));
    }

    @ParameterizedTest
    @MethodSource("reordered")
    void whatTheEngineDoesNotRescoreIsPutInOrderAfterwards(Consumer<SearchSourceBuilder> change) {
        assertEquals(Method.REORDER, Method.of(request(change)));
    }

    @ParameterizedTest
    @MethodSource("passed")
    void anOrderThatIsTheUsersOwnIsLeftAlone(String reason, Consumer<SearchSourceBuilder> change) {
        PassThrough passed =
                assertThrows(PassThrough.class, () -> Method.of(request(change)));
        assertEquals(reason, passed.reason());
        assertFalse(passed.failed());
    }

    @Test
    void aScrollIsLeftAlone() {
        SearchRequest request = request(source -> {}).scroll(TimeValue.timeValueMinutes(1));
        PassThrough passed = assertThrows(PassThrough.class, () -> Method.of(request));
        assertEquals("scroll", passed.reason());
        assertFalse(passed.failed());
    }

    @ParameterizedTest
    @CsvSource({"-1, -1, 0, 10", "0, 0, 0, 0", "20, 5, 20, 5"})
    void aPageThatIsNotSaidIsTheEnginesOwn(int saidFrom, int saidSize, int from, int size) {
        SearchSourceBuilder source = new SearchSourceBuilder();
        if (saidFrom >= 0) {
            source.from(saidFrom).size(saidSize);
        }
        assertEquals(from, Method.from(source));
        assertEquals(size, Method.size(source));
    }

    private static SearchRequest request(Consumer<SearchSourceBuilder> change) {
        SearchSourceBuilder source =
                new SearchSourceBuilder().query(new MatchQueryBuilder("t", "water"));
        change.accept(source);
        return new SearchRequest("i").source(source);
    }
}
