package org.rankside.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.rankside.client.Cases;

class ParametersTest {
    private static final List<URI> URLS = List.of(URI.create("http://a:1"));
    private static final String ALL =
            "'strategy': 'cascade', 'window': 10000, 'exact_window': true, 'prompt_hits': 5, 'head': 7,"
                    + " 'text_fields': ['t', 'u.v'], 'vector_field': 'v', 'fingerprint': 'f',"
                    + " 'timeout': '2s', 'llm_timeout': '800ms', 'on_failure': 'fail', 'fusion': {'listwise': 2},"
                    + " 'instruction': 'rank', 'query_text_path': 'query.match.t.query'";

    @Test
    void aPipelineNeedsNoMoreThanAnAddress() {
        assertEquals(
                new Parameters(
                        URLS, null, Strategy.E2RANK, 100, false, 0, 0, List.of(), null, null,
                        Duration.ofSeconds(1), null, OnFailure.PASS_THROUGH, null, null, null, null),
                pipeline("'url': 'http://a:1/'"));
    }

    @Test
    void aPipelineMaySayAll() {
        assertEquals(
                new Parameters(
                        List.of(URI.create("http://a:1"), URI.create("https://b/c")), "k",
                        Strategy.CASCADE, 10_000, true, 5, 7, List.of("t", "u.v"), "v", "f",
                        Duration.ofSeconds(2), Duration.ofMillis(800), OnFailure.FAIL, Map.of("listwise", 2.0),
                        "rank", null, "query.match.t.query"),
                pipeline("'url': ['http://a:1', 'https://b/c'], 'auth': 'k', " + ALL));
    }

    @Test
    void whatAPipelineTakesIsGoneFromItsConfiguration() {
        Map<String, Object> config =
                Cases.object("{'url': 'http://a:1', 'auth': 'k', 'windw': 3, " + ALL + "}");
        Parameters.ofPipeline(config);
        assertEquals(Map.of("windw", 3), config);
    }

    @Test
    void theTextToRankForIsTheSearchsAloneToSay() {
        Map<String, Object> config = Cases.object("{'url': 'http://a:1', 'query_text': 'x'}");
        Parameters.ofPipeline(config);
        assertEquals(Map.of("query_text", "x"), config);
    }

    @Test
    void aRequestMaySayAllButWhereItGoes() {
        assertEquals(
                new Parameters(
                        URLS, "k", Strategy.CASCADE, 10_000, true, 5, 7, List.of("t", "u.v"), "v", "f",
                        Duration.ofSeconds(2), Duration.ofMillis(800), OnFailure.FAIL, Map.of("listwise", 2.0),
                        "rank", "cold water", "query.match.t.query"),
                pipeline("'url': 'http://a:1', 'auth': 'k'")
                        .overridden(Cases.object("{'query_text': ' cold water ', " + ALL + "}")));
    }

    @Test
    void aRequestThatSaysNothingGoesByThePipeline() {
        Parameters pipeline = pipeline("'url': 'http://a:1', 'auth': 'k', " + ALL);
        assertEquals(pipeline, pipeline.overridden(Cases.object("{}")));
        assertEquals(pipeline, pipeline.overridden(Cases.object("{'window': null}")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"url", "auth", "windw", "k"})
    void aRequestMaySayNothingElse(String name) {
        Parameters pipeline = pipeline("'url': 'http://a:1'");
        Map<String, Object> ext = Cases.object("{'window': 5, '" + name + "': 'http://b:1'}");
        assertEquals(
                "rankside has no parameter " + name + " here; see the reference of its parameters",
                assertThrows(IllegalArgumentException.class, () -> pipeline.overridden(ext))
                        .getMessage());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "'strategy': 'best'|strategy is [best] and must be one of e2rank, insertrank, cascade, none",
                "'window': 10001|window is [10001] and must be a whole number from 1 to 10000",
                "'exact_window': 'yes'|exact_window is [yes] and must be true or false",
                "'prompt_hits': 0|prompt_hits is [0] and must be a whole number from 1 to 10000",
                "'head': 0|head is [0] and must be a whole number from 1 to 10000",
                "'text_fields': []|text_fields is [[]] and must be one text or several",
                "'vector_field': ['v']|vector_field is [[v]] and must be a text",
                "'fingerprint': ''|fingerprint is [] and must be a text",
                "'timeout': '1 soon'|timeout is [1 soon] and must be a time above 0 as 500ms",
                "'llm_timeout': '0s'|llm_timeout is [0s] and must be a time above 0 as 500ms",
                "'on_failure': 'retry'|on_failure is [retry] and must be one of pass_through, fail",
                "'fusion': 1|fusion is [1] and must be weights by signal as {\"listwise\": 1}",
                "'instruction': 3|instruction is [3] and must be a text",
                "'query_text_path': ['query']|query_text_path is [[query]] and must be a text",
            })
    void aWrongOneIsRefusedWhoeverSaysIt(String wrong, String why) {
        assertEquals(
                "rankside's " + why,
                assertThrows(
                                IllegalArgumentException.class,
                                () -> pipeline("'url': 'http://a:1', " + wrong))
                        .getMessage());
        Parameters pipeline = pipeline("'url': 'http://a:1'");
        assertEquals(
                "rankside's " + why,
                assertThrows(
                                IllegalArgumentException.class,
                                () -> pipeline.overridden(Cases.object("{" + wrong + "}")))
                        .getMessage());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "'window': 3|url is empty; name at least one sidecar",
                "'url': []|rankside's url is [[]] and must be one text or several",
                "'url': 7|rankside's url is [7] and must be a text",
                "'url': 'ftp://a'|url [ftp://a] is not like http://127.0.0.1:8080",
                "'url': 'http://a:1', 'auth': 1|rankside's auth is [1] and must be a text",
            })
    void aPipelineWithoutAnAddressOrAKeyByNameIsRefused(String config, String why) {
        assertEquals(
                why,
                assertThrows(IllegalArgumentException.class, () -> pipeline(config)).getMessage());
    }

    @Test
    void aSearchMaySayAllWhereTheNodeNamesTheSidecars() {
        String said = ALL.replace("'window'", "'rank_window_size'");
        assertEquals(
                new Parameters(
                        URLS, "k", Strategy.CASCADE, 10_000, true, 5, 7, List.of("t", "u.v"), "v", "f",
                        Duration.ofSeconds(2), Duration.ofMillis(800), OnFailure.FAIL, Map.of("listwise", 2.0),
                        "rank", "cold water", "query.match.t.query"),
                Parameters.ofSearch(
                        URLS,
                        "k",
                        Cases.object("{'query_text': ' cold water ', " + said + "}"),
                        Map.of("window", "rank_window_size")));
    }

    @Test
    void theTextOfARequestIsItsOwn() {
        Parameters first =
                pipeline("'url': 'http://a:1'").overridden(Cases.object("{'query_text': 'x'}"));
        assertEquals("x", first.queryText());
        assertEquals(null, first.overridden(Cases.object("{}")).queryText());
    }

    private static Parameters pipeline(String config) {
        return Parameters.ofPipeline(Cases.object("{" + config + "}"));
    }
}
