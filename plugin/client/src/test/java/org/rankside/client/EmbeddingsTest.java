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

class EmbeddingsTest {
    private static final Embeddings.Call CALL = new Embeddings.Call(List.of("a", "b"), "f");
    private static final String ANSWER =
            "{'object': 'list', 'model': 'm', 'usage': {'truncated': 0}, 'data': ["
                    + "{'index': 1, 'embedding': 'AAAAQA=='}, {'index': 0, 'embedding': 'AACAPw=='}]}";

    @Test
    void documentsOfOneModelAreAskedFor() {
        assertEquals(
                Map.of(
                        "input", List.of("a", "\uFFFD"),
                        "input_type", "document",
                        "encoding_format", "base64",
                        "vector_fingerprint", "f"),
                new Embeddings.Call(List.of("a", "\uD800"), "f").written());
    }

    @Test
    void vectorsComeBackInTheOrderOfTheTexts() throws IOException {
        List<float[]> vectors = Embeddings.Answer.read(Cases.object(ANSWER), CALL).vectors();
        assertArrayEquals(new float[] {1f}, vectors.get(0));
        assertArrayEquals(new float[] {2f}, vectors.get(1));
    }

    @ParameterizedTest
    @CsvSource({"'AADAfw=='", "'AACAfw=='", "'AAAAAA=='", "'AAA='", "'?'", "[0.0]", "null", "7"})
    void aVectorThatCannotBeUsedLeavesTheOthers(String embedding) throws IOException {
        String answer = ANSWER.replace("'AACAPw=='", "'" + embedding + "'");
        answer = answer.replace("'[0.0]'", "[0.0]").replace("'null'", "null").replace("'7'", "7");
        List<float[]> vectors = Embeddings.Answer.read(Cases.object(answer), CALL).vectors();
        assertNull(vectors.get(0));
        assertArrayEquals(new float[] {2f}, vectors.get(1));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "'index': 1|'index': 0|it has a vector 0 too many",
                "'index': 1|'index': 2|it has a vector 2 too many",
                "'index': 1|'index': -1|index is -1.0 where a count is due",
                "{'index': 1, 'embedding': 'AAAAQA=='}, |``|it has 1 vectors for 2 texts",
                "'data'|'rows'|data is missing",
            })
    void anotherNumberOfVectorsIsRefused(String part, String instead, String why) {
        Map<String, Object> changed = Cases.object(ANSWER.replace(part, instead));
        IOException error = assertThrows(IOException.class, () -> Embeddings.Answer.read(changed, CALL));
        assertTrue(error.getMessage().contains(why), error.getMessage());
    }
}
