package org.rankside.search;

import java.util.List;
import org.rankside.client.RescoreWeights;

/** One of the things, done one after the other, that put a window in order. */
public sealed interface Step {
    /**
     * Order by {@code cos + first-stage weight · _score}, which the weights scale.
     *
     * @param by scores a document {@code 1 + cos}
     * @param only these; null: any
     */
    record ByVector(Comparison by, List<Place> only, RescoreWeights weights) implements Step {}

    /** These hits first, in this order. */
    record ByOrder(List<Place> places) implements Step {}
}
