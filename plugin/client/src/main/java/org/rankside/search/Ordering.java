package org.rankside.search;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.rankside.client.RescoreWeights;

/** What a rescore by a step would do to hits. */
public final class Ordering {
    private Ordering() {}

    /** {@code hits} by a step, whose comparison gives {@code scores}; those it does not score have 0. */
    public static List<WindowHit> ordered(
            List<WindowHit> hits, RescoreWeights weights, Map<Place, Float> scores) {
        Map<Place, Float> fused = new HashMap<>();
        for (WindowHit hit : hits) {
            fused.put(hit.place(), fused(hit, weights, scores));
        }
        return hits.stream()
                .sorted(Comparator.comparing((WindowHit one) -> fused.get(one.place())).reversed())
                .toList();
    }

    /** Scores of those of {@code hits} that a step's comparison gives {@code scores}. */
    static List<Double> fused(
            List<WindowHit> hits, RescoreWeights weights, Map<Place, Float> scores) {
        return hits.stream()
                .filter(hit -> scores.containsKey(hit.place()))
                .map(hit -> (double) fused(hit, weights, scores))
                .toList();
    }

    private static float fused(
            WindowHit hit, RescoreWeights weights, Map<Place, Float> scores) {
        float added = scores.getOrDefault(hit.place(), 0f);
        return weights.query() * hit.score() + weights.rescore() * added;
    }

    /** {@code hits}, those of {@code step} first. */
    public static List<WindowHit> ordered(List<WindowHit> hits, Step.ByOrder step) {
        Map<Place, Integer> ranks = new HashMap<>();
        step.places().forEach(place -> ranks.put(place, ranks.size()));
        return hits.stream()
                .sorted(
                        Comparator.comparingInt(
                                one -> ranks.getOrDefault(one.place(), ranks.size())))
                .toList();
    }

    /** The best first-stage score. */
    public static float highest(List<WindowHit> hits) {
        return (float) hits.stream().mapToDouble(WindowHit::score).max().orElse(0);
    }
}
