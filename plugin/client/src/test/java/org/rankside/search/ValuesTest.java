package org.rankside.search;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.rankside.client.Cases;

class ValuesTest {
    private static final Function<Values, Object> TEXT = values -> values.text("it", null);
    private static final Function<Values, Object> TEXTS = values -> values.texts("it", null);
    private static final Function<Values, Object> COUNT = values -> values.count("it", 0, 100);
    private static final Function<Values, Object> FLAG = values -> values.flag("it", false);
    private static final Function<Values, Object> TIME = values -> values.time("it", null);
    private static final Function<Values, Object> CHOICE =
            values -> values.choice("it", OnFailure.class, null);
    private static final Function<Values, Object> WEIGHTS = values -> values.weights("it", null);

    static Stream<Arguments> taken() {
        return Stream.of(
                Arguments.of(TEXT, "'  a text '", "a text"),
                Arguments.of(TEXTS, "' one '", List.of("one")),
                Arguments.of(TEXTS, "['one', ' two']", List.of("one", "two")),
                Arguments.of(COUNT, "1", 1),
                Arguments.of(COUNT, "100", 100),
                Arguments.of(FLAG, "true", true),
                Arguments.of(TIME, "'250ms'", Duration.ofMillis(250)),
                Arguments.of(TIME, "' 2m '", Duration.ofMinutes(2)),
                Arguments.of(CHOICE, "'pass_through'", OnFailure.PASS_THROUGH),
                Arguments.of(CHOICE, "'fail'", OnFailure.FAIL),
                Arguments.of(WEIGHTS, "{'a': 1, 'b': 0.5}", Map.of("a", 1.0, "b", 0.5)));
    }

    static Stream<Arguments> refused() {
        return Stream.of(
                Arguments.of(TEXT, "7", "[7] and must be a text"),
                Arguments.of(TEXT, "' '", "[ ] and must be a text"),
                Arguments.of(TEXTS, "[]", "[[]] and must be one text or several"),
                Arguments.of(TEXTS, "7", "[7] and must be a text"),
                Arguments.of(TEXTS, "['one', null]", "[null] and must be a text"),
                Arguments.of(COUNT, "0", "[0] and must be a whole number from 1 to 100"),
                Arguments.of(COUNT, "101", "[101] and must be a whole number from 1 to 100"),
                Arguments.of(COUNT, "1.0", "[1.0] and must be a whole number from 1 to 100"),
                Arguments.of(
                        COUNT, "4294967297", "[4294967297] and must be a whole number from 1 to 100"),
                Arguments.of(COUNT, "'7'", "[7] and must be a whole number from 1 to 100"),
                Arguments.of(FLAG, "'true'", "[true] and must be true or false"),
                Arguments.of(FLAG, "1", "[1] and must be true or false"),
                Arguments.of(TIME, "500", "[500] and must be a time above 0 as 500ms"),
                Arguments.of(TIME, "'500'", "[500] and must be a time above 0 as 500ms"),
                Arguments.of(TIME, "'0s'", "[0s] and must be a time above 0 as 500ms"),
                Arguments.of(TIME, "'-1'", "[-1] and must be a time above 0 as 500ms"),
                Arguments.of(CHOICE, "'FAIL'", "[FAIL] and must be one of pass_through, fail"),
                Arguments.of(CHOICE, "true", "[true] and must be one of pass_through, fail"),
                Arguments.of(
                        WEIGHTS, "{}", "[{}] and must be weights by signal as {\"listwise\": 1}"),
                Arguments.of(
                        WEIGHTS, "[1]", "[[1]] and must be weights by signal as {\"listwise\": 1}"));
    }

    @ParameterizedTest
    @MethodSource("taken")
    void aValueIsTakenAsWhatIsDue(Function<Values, Object> take, String json, Object value) {
        Map<String, Object> left = Cases.object("{'it': " + json + ", 'other': 1}");
        assertEquals(value, take.apply(new Values(left)));
        assertEquals(Map.of("other", 1), left);
    }

    @ParameterizedTest
    @MethodSource("refused")
    void anotherValueIsRefusedInASentence(Function<Values, Object> take, String json, String why) {
        Values values = new Values(Cases.object("{'it': " + json + "}"));
        IllegalArgumentException error =
                assertThrows(IllegalArgumentException.class, () -> take.apply(values));
        assertEquals("rankside's it is " + why, error.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"'much'", "null", "true"})
    void aWeightThatIsNoNumberIsNamed(String weight) {
        Values values = new Values(Cases.object("{'it': {'rocchio': " + weight + "}}"));
        assertEquals(
                "rankside's it.rocchio is [" + weight.replace("'", "") + "] and must be a number",
                assertThrows(IllegalArgumentException.class, () -> WEIGHTS.apply(values))
                        .getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "{'it': null}"})
    void whatIsNotThereOrNullIsAsItWas(String json) {
        Map<String, Object> left = Cases.object(json);
        Values values = new Values(left);
        assertEquals("as it was", values.text("it", "as it was"));
        assertEquals(7, values.count("it", 7, 5));
        assertTrue(values.flag("it", true));
        assertEquals(Map.of(), left);
    }

    @Test
    void whatNobodyTookIsRefusedByName() {
        Values values = new Values(Cases.object("{'window': 3, 'windw': 5}"));
        values.count("window", 0, 10);
        assertEquals(
                "rankside has no parameter windw here; see the reference of its parameters",
                assertThrows(IllegalArgumentException.class, values::checkEmpty).getMessage());
        values.count("windw", 0, 10);
        assertDoesNotThrow(values::checkEmpty);
    }

    @Test
    void anEnginesOwnNameOfAParameterIsTheOneInErrorsToo() {
        Map<String, String> names = Map.of("window", "rank_window_size");
        Map<String, Object> left = Cases.object("{'rank_window_size': 3, 'other': 7}");
        Values values = new Values(left, names);
        assertEquals(3, values.count("window", 0, 10));
        assertEquals(7, values.count("other", 0, 10));
        assertEquals(
                "rankside's rank_window_size is [11] and must be a whole number from 1 to 10",
                assertThrows(
                                IllegalArgumentException.class,
                                () ->
                                        new Values(Cases.object("{'rank_window_size': 11}"), names)
                                                .count("window", 0, 10))
                        .getMessage());
    }
}
