package org.rankside.search;

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
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.rankside.client.Cases;

class HitValuesTest {
    private static final List<String> FIELDS = List.of("title", "body.text");

    @Test
    void theTextIsThatOfItsFields() {
        Map<String, Object> source =
                Cases.object("{'title': ' A title ', 'body': {'text': ['one', 'two']}, 'other': 1}");
        assertEquals("A title\none two", HitValues.text(source, FIELDS));
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "{'title': ' ', 'body': 7}", "{'title': null}"})
    void aDocumentWithoutWordsHasNoText(String source) {
        assertNull(HitValues.text(Cases.object(source), FIELDS));
    }

    @Test
    void aBookIsCut() {
        String text = HitValues.text(Map.of("title", "x".repeat(70_000)), FIELDS);
        assertEquals(65_536, text.length());
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void aScoreThatIsNoneIsZero(float score) {
        assertEquals(0f, HitValues.score(score));
        assertEquals(-2.5f, HitValues.score(-2.5f));
    }

    @Test
    void aVectorMayBeOneValueOfTheFieldOrItsValues() {
        List<Object> inner = List.of(1, 2, 3);
        assertArrayEquals(new float[] {1, 2, 3}, HitValues.vector(inner, 3));
        assertArrayEquals(new float[] {1, 2, 3}, HitValues.vector(List.of(inner), 3));
        assertArrayEquals(new float[] {5}, HitValues.vector(List.of(5), 1));
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
        assertNull(HitValues.vector(values, 3));
    }

    @Test
    void whereNoLengthIsKnownAnyWillDo() {
        assertArrayEquals(new float[] {1, 2}, HitValues.vector(List.of(1, 2), 0));
        assertNull(HitValues.vector(List.of(0), 0));
    }

    @ParameterizedTest
    @CsvSource({"f:abc, f", "f, f", ":abc, ''", "f:a:b, f", "'', ''"})
    void theFingerprintStandsBeforeTheHash(String hash, String fingerprint) {
        assertEquals(fingerprint, HitValues.fingerprint(hash));
    }

    @ParameterizedTest
    @NullSource
    void aDocumentWithoutAHashSaysSo(Object none) {
        assertEquals("", HitValues.fingerprint(none));
    }
}
