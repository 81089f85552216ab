package org.rankside.opensearch.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.opensearch.index.query.BoolQueryBuilder;
import org.opensearch.index.query.MatchAllQueryBuilder;
import org.opensearch.index.query.MatchPhraseQueryBuilder;
import org.opensearch.index.query.MatchQueryBuilder;
import org.opensearch.index.query.MultiMatchQueryBuilder;
import org.opensearch.index.query.QueryBuilder;
import org.opensearch.index.query.QueryStringQueryBuilder;
import org.opensearch.index.query.TermQueryBuilder;
import org.opensearch.search.builder.SearchSourceBuilder;
import org.rankside.search.Parameters;

class RequestTextTest {
    private static final QueryBuilder MATCH = new MatchQueryBuilder("title", "cold water");

    static Stream<QueryBuilder> clear() {
        return Stream.of(
                MATCH,
                new MultiMatchQueryBuilder("cold water", "title", "text"),
                new QueryStringQueryBuilder("cold water"),
                new BoolQueryBuilder()
                        .must(MATCH)
                        .should(new MatchPhraseQueryBuilder("text", " cold water "))
                        .filter(new MatchQueryBuilder("kind", "book")),
                new Named("hybrid", MATCH, new MatchQueryBuilder("text", "cold water")));
    }

    static Stream<Arguments> unclear() {
        return Stream.of(
                Arguments.of("no full-text clause", null),
                Arguments.of("no full-text clause", new MatchAllQueryBuilder()),
                Arguments.of("no full-text clause", new TermQueryBuilder("kind", "book")),
                Arguments.of(
                        "2 different texts",
                        new BoolQueryBuilder()
                                .should(MATCH)
                                .should(new MatchQueryBuilder("text", "ice"))));
    }

    @ParameterizedTest
    @MethodSource("clear")
    void theOneTextOfTheQueryIsFound(QueryBuilder query) {
        assertEquals("cold water", text(query, "{}"));
    }

    @ParameterizedTest
    @MethodSource("unclear")
    void noneOrSeveralAreAskedFor(String what, QueryBuilder query) {
        assertEquals(
                "the query has " + what + "; say what to rerank for with query_text in ext.rankside,"
                        + " or search without reranking by ext.rankside.strategy: none",
                refusal(query, "{}"));
    }

    @Test
    void whatTheRequestSaysComesFirst() {
        assertEquals(
                "ice",
                text(MATCH, "{'query_text': 'ice', 'query_text_path': 'query.match.title.query'}"));
        assertEquals("ice", text(new MatchAllQueryBuilder(), "{'query_text': 'ice'}"));
        assertEquals("ice", text(null, "{'query_text': 'ice'}"));
    }

    @ParameterizedTest
    @CsvSource({
        "query.bool.must.0.match.title.query, cold water",
        "query.bool.must.1.match.text.query, ice",
        "query.bool.filter.0.term.kind.value, book",
    })
    void aPathLeadsThroughObjectsAndLists(String path, String text) {
        QueryBuilder query =
                new BoolQueryBuilder()
                        .must(MATCH)
                        .must(new MatchQueryBuilder("text", " ice "))
                        .filter(new TermQueryBuilder("kind", "book"));
        assertEquals(text, text(query, "{'query_text_path': '" + path + "'}"));
    }

    @Test
    void aPathMayLeadIntoExt() {
        SearchSourceBuilder source = new SearchSourceBuilder().query(MATCH);
        source.ext(new RanksideExt(Map.of("asked", "why?")).among(source.ext()));
        assertEquals(
                "why?",
                RequestText.of(source, parameters("{'query_text_path': 'ext.rankside.asked'}")));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "query.match.text.query", // another field
                "query.match.title", // no text
                "query.match.title.query.deeper",
                "query.bool.must.0",
                "nowhere",
                "query.match.title.boost", // a number
            })
    void aPathToNoTextIsRefused(String path) {
        assertEquals(
                "the request has no text at rankside's query_text_path [" + path
                        + "]; put it there, or into ext.rankside.query_text",
                refusal(MATCH, "{'query_text_path': '" + path + "'}"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"2", "-1", "first"})
    void aPathToAnElementThatIsNotThereIsRefused(String element) {
        String path = "query.bool.must." + element + ".match.title.query";
        String said = refusal(new BoolQueryBuilder().must(MATCH), "{'query_text_path': '" + path + "'}");
        assertEquals(
                "the request has no text at rankside's query_text_path [" + path
                        + "]; put it there, or into ext.rankside.query_text",
                said);
    }

    private static String refusal(QueryBuilder query, String ext) {
        return assertThrows(IllegalArgumentException.class, () -> text(query, ext)).getMessage();
    }

    private static String text(QueryBuilder query, String ext) {
        SearchSourceBuilder source = new SearchSourceBuilder();
        return RequestText.of(query == null ? source : source.query(query), parameters(ext));
    }

    private static Parameters parameters(String ext) {
        return Parameters.ofPipeline(Cases.object("{'url': 'http://a:1'}"))
                .overridden(Cases.object(ext));
    }
}
