package org.rankside.opensearch.search;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class HitReaderTest {
    private static final Target TARGET =
            new Target(List.of("title", "body.text"), "v", 3, "f", "h", List.of());

    @Test
    void allThatWasFetchedIsRead() {
        WindowHit read =
                HitReader.read(
                        Hits.hit(
                                "i",
                                "7",
                                2.5f,
                                "{'title': ' A title ', 'body': {'text': ['one', 'two']}, 'other': 1}",
                                Map.of("v", List.of(1, 2.5, 3f), "h", List.of("f:abc"))),
                        TARGET);
        assertEquals(new Place("i", "7"), read.place());
        assertEquals(2.5f, read.score());
        assertEquals("A title\none two", read.text());
        assertArrayEquals(new float[] {1, 2.5f, 3}, read.vector());
        assertEquals("f", read.fingerprint());
    }

    @Test
    void whatWasNotFetchedIsNull() {
        WindowHit read = HitReader.read(Hits.hit("i", "7", 1), TARGET);
        assertNull(read.text());
        assertNull(read.vector());
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "{'title': ' ', 'body': 7}", "{'title': null}"})
    void aDocumentWithoutWordsHasNoText(String source) {
        assertNull(HitReader.read(Hits.hit("i", "7", 1, source, Map.of()), TARGET).text());
    }

    @Test
    void aBookIsCut() {
        String book = "{'title': '" + "x".repeat(70_000) + "'}";
        String text = HitReader.read(Hits.hit("i", "7", 1, book, Map.of()), TARGET).text();
        assertEquals(65_536, text.length());
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void aScoreThatIsNoneIsZero(float score) {
        assertEquals(0f, HitReader.read(Hits.hit("i", "7", score), TARGET).score());
    }

    @Test
    void aVectorMayBeOneValueOfTheFieldOrItsValues() {
        List<Object> inner = List.of(1, 2, 3);
        assertArrayEquals(new float[] {1, 2, 3}, vector(inner, 3));
        assertArrayEquals(new float[] {1, 2, 3}, vector(List.of(inner), 3));
        assertArrayEquals(new float[] {5}, vector(List.of(5), 1));
    }

    static Stream<List<Object>> unsound() {
        return Stream.of(
                List.of(),
                List.of(1, 2),
                List.of(1, 2, 3, 4),
                List.of(List.of(1, 2)),
                List.of(0, 0.0, 0f),
                List.of(1, 2, Float.NaN),
                List.of(1, 2, Double.NEGATIVE_INFINITY),
                List.of(1, 2, 1e39), // which no float can hold
                List.of(1, 2, "3"),
                Arrays.asList(1, 2, null));
    }

    @ParameterizedTest
    @MethodSource("unsound")
    void aVectorThatCannotBeComparedIsNull(List<Object> values) {
        assertNull(vector(values, 3));
    }

    @Test
    void whereNoLengthIsKnownAnyWillDo() {
        assertArrayEquals(new float[] {1, 2}, vector(List.of(1, 2), 0));
        assertNull(vector(List.of(0), 0));
    }

    @ParameterizedTest
    @CsvSource({"f:abc, f", "f, f", ":abc, ''", "f:a:b, f", "'', ''"})
    void theFingerprintStandsBeforeTheHash(String value, String fingerprint) {
        assertEquals(fingerprint, fingerprint("h", Map.of("h", List.of(value))));
    }

    @Test
    void aDocumentWithoutAHashSaysSo() {
        assertEquals("", fingerprint("h", Map.of()));
        assertEquals("", fingerprint("h", Map.of("h", List.of())));
    }

    @Test
    void anIndexWithoutHashesSaysNothing() {
        assertNull(fingerprint(null, Map.of("h", List.of("f:abc"))));
    }

    private static float[] vector(List<Object> values, int dimensions) {
        Target target = new Target(List.of("t"), "v", dimensions, "f", "h", List.of());
        return HitReader.read(Hits.hit("i", "7", 1, null, Map.of("v", values)), target).vector();
    }

    private static String fingerprint(String hashField, Map<String, List<Object>> fields) {
        Target target = new Target(List.of("t"), "v", 3, "f", hashField, List.of());
        return HitReader.read(Hits.hit("i", "7", 1, null, fields), target).fingerprint();
    }
}
