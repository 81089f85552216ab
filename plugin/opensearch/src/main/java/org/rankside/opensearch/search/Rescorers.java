package org.rankside.opensearch.search;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.opensearch.index.query.QueryBuilder;
import org.opensearch.search.rescore.QueryRescoreMode;
import org.opensearch.search.rescore.QueryRescorerBuilder;
import org.rankside.client.RescoreWeights;

/** A judgement's steps as rescorers of a request, and as what these would do. */
final class Rescorers {
    private static final float MOST = 2f; // of 1 + cos

    private Rescorers() {}

    /** For behind any rescorers of the user's own. */
    static List<QueryRescorerBuilder> of(Judgement judgement, int window) {
        float highest = highest(judgement.window());
        List<QueryRescorerBuilder> made = new ArrayList<>();
        for (Step step : judgement.steps()) {
            switch (step) {
                case Step.ByVector by -> {
                    made.add(rescorer(by.query(), by.weights(), window));
                    highest = by.weights().query() * highest + by.weights().rescore() * MOST;
                }
                case Step.ByOrder by when by.places().isEmpty() -> {}
                case Step.ByOrder by -> {
                    RescoreWeights weights = new RescoreWeights(RescoreWeights.least(highest), 1f);
                    made.add(rescorer(Places.inOrder(by.places()), weights, window));
                }
            }
        }
        return made;
    }

    /** {@code hits} as a rescore by {@code step} would order them. */
    static List<WindowHit> ordered(
            List<WindowHit> hits, Step.ByVector step, Map<Place, Float> scores) {
        Map<Place, Float> fused = new HashMap<>();
        for (WindowHit hit : hits) {
            float added = scores.getOrDefault(hit.place(), 0f);
            RescoreWeights weights = step.weights();
            fused.put(hit.place(), weights.query() * hit.score() + weights.rescore() * added);
        }
        return hits.stream()
                .sorted(Comparator.comparing((WindowHit one) -> fused.get(one.place())).reversed())
                .toList();
    }

    /** {@code hits} as a rescore by {@code step} would order them. */
    static List<WindowHit> ordered(List<WindowHit> hits, Step.ByOrder step) {
        Map<Place, Integer> ranks = new HashMap<>();
        step.places().forEach(place -> ranks.put(place, ranks.size()));
        return hits.stream()
                .sorted(
                        Comparator.comparingInt(
                                one -> ranks.getOrDefault(one.place(), ranks.size())))
                .toList();
    }

    /** The best first-stage score. */
    static float highest(List<WindowHit> hits) {
        return (float) hits.stream().mapToDouble(WindowHit::score).max().orElse(0);
    }

    private static QueryRescorerBuilder rescorer(
            QueryBuilder query, RescoreWeights weights, int window) {
        QueryRescorerBuilder rescorer = new QueryRescorerBuilder(query);
        rescorer.setQueryWeight(weights.query());
        rescorer.setRescoreQueryWeight(weights.rescore());
        rescorer.setScoreMode(QueryRescoreMode.Total);
        rescorer.windowSize(window);
        return rescorer;
    }
}
