package org.rankside.client;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class DocumentTextTest {
    record Case(String name, List<String> fields, Map<String, Object> source, String text, String hash) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Case> cases() {
        return Stream.of(Cases.read("document_text.json", Case[].class));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void aDocumentsTextAndHashAreThoseOfPython(Case one) {
        String text = DocumentText.of(one.source(), one.fields());
        assertEquals(one.text(), text);
        assertEquals(one.hash(), DocumentText.vectorHash("f", text));
    }

    @ParameterizedTest
    @CsvSource({"0.1, 0.1", "3, 3.0", "1.0E-7, 1e-07", "16777216, 16777216.0", "Infinity, inf", "NaN, nan"})
    void aFloatIsWrittenAsItsJsonIsRead(float number, String text) {
        assertEquals(text, DocumentText.of(Map.of("text", number), List.of("text")));
    }

    @Test
    void halvesOfSurrogatePairsAreReplacedToBeSent() {
        assertEquals("\uFFFDa\uD83D\uDE00\uFFFD", DocumentText.whole("\uDC00a\uD83D\uDE00\uD800"));
    }
}
