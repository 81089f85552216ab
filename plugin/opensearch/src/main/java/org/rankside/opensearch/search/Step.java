package org.rankside.opensearch.search;

import java.util.List;
import org.opensearch.index.query.QueryBuilder;
import org.rankside.client.RescoreWeights;

/** One of the things, done one after the other, that put a window in order. */
sealed interface Step {
    /**
     * Order by {@code cos + first-stage weight · _score}, which the weights scale.
     *
     * @param query scores a document {@code 1 + cos}
     */
    record ByVector(QueryBuilder query, RescoreWeights weights) implements Step {}

    /** These hits first, in this order. */
    record ByOrder(List<Place> places) implements Step {}
}
