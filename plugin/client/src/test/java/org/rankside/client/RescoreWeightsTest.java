package org.rankside.client;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class RescoreWeightsTest {
    static Stream<Object> cases() {
        return ((List<?>) Cases.read("rescore_weights.json", List.class)).stream().map(one -> (Object) one);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void weightsAreThoseOfThePythonClient(Map<String, Number> one) {
        RescoreWeights weights =
                RescoreWeights.of(
                        one.get("first_stage_weight").doubleValue(), one.get("highest").doubleValue());
        assertEquals(one.get("query").floatValue(), weights.query());
        assertEquals(one.get("rescore").floatValue(), weights.rescore());
    }
}
