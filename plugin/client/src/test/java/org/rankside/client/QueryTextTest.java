package org.rankside.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class QueryTextTest {
    private static final Map<?, ?> CASES = Cases.read("query_text.json", Map.class);

    static Stream<Object> read() {
        return Stream.of("read_from_a_query", "read_from_a_retriever")
                .flatMap(name -> ((List<?>) CASES.get(name)).stream());
    }

    static Stream<Object> notRead() {
        return ((List<?>) CASES.get("not_read")).stream().map(one -> (Object) one);
    }

    @ParameterizedTest
    @MethodSource("read")
    void aTextIsReadWhereItScores(Object query) {
        assertEquals(CASES.get("text"), QueryText.of(query));
    }

    @ParameterizedTest
    @MethodSource("notRead")
    void noTextOrSeveralAreAskedFor(Map<String, Object> one) {
        IllegalArgumentException error =
                assertThrows(IllegalArgumentException.class, () -> QueryText.of(one.get("query")));
        assertTrue(error.getMessage().contains((String) one.get("because")), error.getMessage());
    }
}
