package org.rankside.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ListwiseTest {
    private static final String ANSWER =
            "{'vector': 'AACAPw==', 'first_stage_weight': 0.06, 'status': 'reranked', 'reason': null,"
                    + " 'model': {'name': 'm', 'revision': 'r', 'fingerprint': 'f'},"
                    + " 'signals': {'query': 1.0}, 'timings_ms': {'total': 3.5}, 'usage': {}}";

    @Test
    void anAnswerIsRead() throws IOException {
        Listwise.Answer answer = Listwise.Answer.read(Cases.object(ANSWER));
        assertArrayEquals(new float[] {1f}, answer.vector());
        assertEquals(0.06, answer.firstStageWeight());
        assertEquals(new Model("m", "r", "f"), answer.model());
        assertEquals(Map.of("total", 3.5), answer.timings());
        assertNull(answer.reason());
    }

    @Test
    void aPassedThroughAnswerHasNoVector() throws IOException {
        Map<String, Object> given = Cases.object(ANSWER);
        given.put("vector", null);
        given.put("status", "passed_through");
        given.put("reason", "no_text");
        Listwise.Answer answer = Listwise.Answer.read(given);
        assertNull(answer.vector());
        assertEquals("no_text", answer.reason());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'vector': 'AACAPw=='|'vector': null|the vector says otherwise",
                "'reranked'|'passed_through'|the vector says otherwise",
                "'reranked'|7|status is Integer where String is due",
                "0.06|-0.06|first_stage_weight is -0.06",
                "0.06|null|first_stage_weight is missing",
                "'name': 'm',||name is missing",
                "'signals': {'query': 1.0}|'signals': []|signals is ArrayList where Map is due",
                "AACAPw==|AADAfw==|NaN",
            },
            quoteCharacter = '`')
    void anAnswerThatContradictsItselfIsRefused(String part, String instead, String why) {
        String changed = ANSWER.replace(part, instead == null ? "" : instead);
        IOException error =
                assertThrows(IOException.class, () -> Listwise.Answer.read(Cases.object(changed)));
        assertTrue(error.getMessage().contains(why), error.getMessage());
    }

    @Test
    void whatIsNotKnownIsLeftOutOfTheCall() {
        List<Hit> hits = List.of(new Hit("i/1", 2f, "a text", new float[] {1f}), new Hit("i/2", 1f, null, null));
        Map<String, Object> bare =
                new Listwise.Call(new Question("q", hits, 900, null, null, null), 0, 0).written();
        assertEquals(
                Map.of(
                        "query", "q",
                        "deadline_ms", 900.0,
                        "hits",
                                List.of(
                                        Map.of("id", "i/1", "score", 2f, "text", "a text", "vector", "AACAPw=="),
                                        Map.of("id", "i/2", "score", 1f))),
                bare);
        Map<String, Object> full =
                new Listwise.Call(
                                new Question(
                                        "q", List.of(), 900, "f", "rank", Map.of("query", 1.0)),
                                384,
                                5)
                        .written();
        assertEquals("f", full.get("vector_fingerprint"));
        assertEquals(384, full.get("dimensions"));
        assertEquals(5, full.get("prompt_hits"));
        assertEquals("rank", full.get("instruction"));
        assertEquals(Map.of("query", 1.0), full.get("fusion"));
    }
}
