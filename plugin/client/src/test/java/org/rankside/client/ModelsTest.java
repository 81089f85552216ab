package org.rankside.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.rankside.client.Models.Card;

class ModelsTest {
    static final String ENCODER =
            "{'id': 'm', 'object': 'model', 'created': 0, 'owned_by': 'rankside', 'kind': 'encoder',"
                    + " 'revision': 'r', 'fingerprint': 'f', 'dimensions': 384, 'max_tokens': 256,"
                    + " 'prompt_hits': 20, 'rocchio_hits': 5,"
                    + " 'fusion': {'listwise': 1.0, 'query': 0, 'rocchio': 0.5, 'first_stage': 0.06}}";
    static final String LLM =
            "{'id': 'l', 'object': 'model', 'created': 0, 'owned_by': 'rankside', 'kind': 'llm',"
                    + " 'revision': '', 'fingerprint': '', 'dimensions': 0, 'max_tokens': 0,"
                    + " 'prompt_hits': 30, 'rocchio_hits': 0, 'fusion': null}";

    static String list(String... cards) {
        return "{'object': 'list', 'data': [" + String.join(",", cards) + "]}";
    }

    @Test
    void theEncoderAndTheLlmAreRead() throws IOException {
        Models models = Models.read(Cases.object(list(ENCODER, LLM)));
        Map<String, Double> fusion =
                Map.of("listwise", 1.0, "query", 0.0, "rocchio", 0.5, "first_stage", 0.06);
        assertEquals(new Card("m", "encoder", "r", "f", 384, 20, 5, fusion), models.encoder());
        assertEquals(new Card("l", "llm", "", "", 0, 30, 0, null), models.llm());
    }

    @Test
    void withoutInsertRankThereIsNoLlm() throws IOException {
        assertNull(Models.read(Cases.object(list(ENCODER))).llm());
    }

    @Test
    void theFirstOfAKindCounts() throws IOException {
        String other = ENCODER.replace("'m'", "'other'");
        assertEquals("m", Models.read(Cases.object(list(ENCODER, other))).encoder().id());
    }

    @Test
    void aListWithoutAnEncoderIsRefused() {
        IOException error =
                assertThrows(IOException.class, () -> Models.read(Cases.object(list(LLM))));
        assertEquals("it lists no encoder", error.getMessage());
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '`',
            textBlock =
                    """
                    'data'             | 'date'              | data is missing where List is due
                    'fingerprint': 'f' | 'fingerprint': null | fingerprint is missing where String is due
                    384                | 384.5               | dimensions is 384.5 where a count is due
                    384                | -1                  | dimensions is -1.0 where a count is due
                    0.06               | 'much'              | first_stage is String where Number is due
                    """,
            delimiter = '|')
    void whatIsMissingOrWrongIsNamed(String right, String wrong, String message) {
        String answer = list(ENCODER).replace(right, wrong);
        IOException error =
                assertThrows(IOException.class, () -> Models.read(Cases.object(answer)));
        assertEquals(message, error.getMessage());
    }
}
