package org.rankside.opensearch.search;

import java.util.ArrayList;
import java.util.List;
import org.opensearch.index.query.QueryBuilder;
import org.opensearch.search.rescore.QueryRescoreMode;
import org.opensearch.search.rescore.QueryRescorerBuilder;
import org.rankside.client.RescoreWeights;
import org.rankside.opensearch.vector.VectorQueryBuilder;
import org.rankside.search.Judgement;
import org.rankside.search.Ordering;
import org.rankside.search.Step;

/** A judgement's steps as rescorers of a request. */
final class Rescorers {
    private static final float MOST = 2f; // of 1 + cos

    private Rescorers() {}

    /** For behind any rescorers of the user's own. */
    static List<QueryRescorerBuilder> of(Judgement judgement, int window) {
        float highest = Ordering.highest(judgement.window());
        List<QueryRescorerBuilder> made = new ArrayList<>();
        for (Step step : judgement.steps()) {
            switch (step) {
                case Step.ByVector by -> {
                    QueryBuilder query = new VectorQueryBuilder(by.by());
                    made.add(
                            rescorer(
                                    by.only() == null ? query : Places.only(by.only(), query),
                                    by.weights(),
                                    window));
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
