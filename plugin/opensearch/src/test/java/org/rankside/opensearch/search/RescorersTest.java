package org.rankside.opensearch.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.rankside.opensearch.search.Hits.ids;
import static org.rankside.opensearch.search.Hits.windowHit;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.opensearch.search.rescore.QueryRescoreMode;
import org.opensearch.search.rescore.QueryRescorerBuilder;
import org.rankside.client.RescoreWeights;
import org.rankside.opensearch.vector.VectorQueryBuilder;
import org.rankside.search.Comparison;
import org.rankside.search.Judgement;
import org.rankside.search.Ordering;
import org.rankside.search.Place;
import org.rankside.search.Step;
import org.rankside.search.WindowHit;

class RescorersTest {
    private static final Comparison BY = new Comparison("v", new float[] {3, 4}, "h", "f");
    private static final VectorQueryBuilder QUERY =
            new VectorQueryBuilder("v", new float[] {3, 4}).hashes("h", "f");

    static Stream<Map<String, Object>> cases() {
        return Cases.list("rescorers.json").stream();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void stepsAreTheRescorersThatThePythonClientMakesOfThem(Map<String, Object> one) {
        List<WindowHit> hits = new ArrayList<>();
        for (Object score : (List<?>) one.get("scores")) {
            hits.add(windowHit("" + hits.size(), ((Number) score).floatValue()));
        }
        List<Step> steps = Cases.objectsAt(one, "steps").stream().map(RescorersTest::step).toList();
        int window = (int) one.get("window");
        List<QueryRescorerBuilder> expected = new ArrayList<>();
        for (Map<String, Object> rescorer : Cases.objectsAt(one, "rescorers")) {
            Step step = steps.get(expected.size());
            QueryRescorerBuilder made =
                    new QueryRescorerBuilder(
                            step instanceof Step.ByOrder by ? Places.inOrder(by.places()) : QUERY);
            made.setQueryWeight(number(rescorer, "query_weight"));
            made.setRescoreQueryWeight(number(rescorer, "rescore_query_weight"));
            made.setScoreMode(QueryRescoreMode.Total).windowSize(window);
            expected.add(made);
        }
        assertEquals(expected, Rescorers.of(judgement(hits, steps), window));
    }

    @Test
    void anExactWindowIsThatOfItsHitsAlone() {
        List<Place> places = List.of(place("1"), place("2"));
        Step step = new Step.ByVector(BY, places, new RescoreWeights(0.25f, 1f));
        QueryRescorerBuilder made =
                Rescorers.of(judgement(List.of(windowHit("1", 8)), List.of(step)), 10).getFirst();
        assertEquals(
                new QueryRescorerBuilder(Places.only(places, QUERY))
                        .setQueryWeight(0.25f)
                        .setRescoreQueryWeight(1f)
                        .setScoreMode(QueryRescoreMode.Total)
                        .windowSize(10),
                made);
    }

    /** What is shown to an LLM after E2Rank, and what is reordered, is what the engine would return. */
    @ParameterizedTest
    @ValueSource(floats = {0f, 0.01f, 1f, 300f})
    void theOrderIsWhatTheEnginesRescoreGives(float firstStageWeight) {
        List<WindowHit> hits =
                IntStream.range(0, 40).mapToObj(at -> windowHit("" + at, 50f / (at + 1))).toList();
        Map<Place, Float> cosines = new HashMap<>();
        hits.stream()
                .filter(one -> Integer.parseInt(one.place().id()) % 5 != 3) // others have no vector
                .forEach(one -> cosines.put(one.place(), 1 + (float) Math.sin(7 * one.score())));
        Step.ByVector byVector =
                new Step.ByVector(BY, null, RescoreWeights.of(firstStageWeight, 50));
        List<WindowHit> first = Ordering.ordered(hits, byVector.weights(), cosines);
        Step.ByOrder byOrder =
                new Step.ByOrder(
                        Stream.of(4, 0, 2, 3, 1).map(at -> first.get(at).place()).toList());
        List<QueryRescorerBuilder> made =
                Rescorers.of(judgement(hits, List.of(byVector, byOrder)), 40);

        Map<Place, Float> ranks = new HashMap<>();
        byOrder.places().forEach(one -> ranks.put(one, (float) (5 - ranks.size())));
        Map<Place, Float> scores = new HashMap<>();
        hits.forEach(one -> scores.put(one.place(), one.score()));
        List<WindowHit> engine = rescored(hits, scores, made.get(0), cosines);
        assertEquals(ids(first), ids(engine));
        assertEquals(
                ids(Ordering.ordered(first, byOrder)),
                ids(rescored(engine, scores, made.get(1), ranks)));
    }

    /** As Lucene's QueryRescorer: in float, ties in the order that was. */
    private static List<WindowHit> rescored(
            List<WindowHit> hits,
            Map<Place, Float> scores,
            QueryRescorerBuilder by,
            Map<Place, Float> found) {
        scores.replaceAll(
                (place, score) -> {
                    float kept = score * by.getQueryWeight();
                    Float other = found.get(place);
                    return other == null ? kept : kept + other * by.getRescoreQueryWeight();
                });
        return hits.stream()
                .sorted(Comparator.comparing((WindowHit one) -> scores.get(one.place())).reversed())
                .toList();
    }

    private static Step step(Map<String, Object> given) {
        if (given.get("ordered") instanceof Integer count) {
            return new Step.ByOrder(
                    IntStream.range(0, count).mapToObj(at -> place("" + at)).toList());
        }
        return new Step.ByVector(
                BY, null, new RescoreWeights(number(given, "query"), number(given, "rescore")));
    }

    private static float number(Map<String, Object> object, String name) {
        return ((Number) object.get(name)).floatValue();
    }

    private static Place place(String id) {
        return new Place("i", id);
    }

    private static Judgement judgement(List<WindowHit> hits, List<Step> steps) {
        return new Judgement(hits, steps, "m", Map.of(), List.of(), null, 0);
    }
}
