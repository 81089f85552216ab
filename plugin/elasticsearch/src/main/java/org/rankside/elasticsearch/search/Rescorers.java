package org.rankside.elasticsearch.search;

import org.elasticsearch.search.rescore.QueryRescoreMode;
import org.elasticsearch.search.rescore.QueryRescorerBuilder;
import org.rankside.elasticsearch.vector.VectorQueryBuilder;
import org.rankside.search.Step;

/** Steps of a judgement as rescorers of a search. */
final class Rescorers {
    private Rescorers() {}

    /** Rescores so many hits of each shard. */
    static QueryRescorerBuilder of(Step.ByVector step, int window) {
        QueryRescorerBuilder rescorer = new QueryRescorerBuilder(new VectorQueryBuilder(step.by()));
        rescorer.setQueryWeight(step.weights().query());
        rescorer.setRescoreQueryWeight(step.weights().rescore());
        rescorer.setScoreMode(QueryRescoreMode.Total);
        rescorer.windowSize(window);
        return rescorer;
    }
}
