package org.rankside.lucene;

import org.apache.lucene.util.VectorUtil;

/** The cosine of one query vector and many document vectors. */
final class Cosine {
    private final float[] unit;

    /** {@code query} may have any length but 0. */
    Cosine(float[] query) {
        double norm = Math.sqrt(dot(query, query));
        unit = new float[query.length];
        for (int at = 0; at < unit.length; at++) {
            unit[at] = (float) (query[at] / norm);
        }
    }

    /** In [-1, 1], or NaN where {@code document} has no direction: it is zero, or not finite. */
    float with(float[] document) {
        float squares = VectorUtil.dotProduct(document, document);
        // Out of a float32's range the squares lose the direction that the vector has.
        float cosine =
                squares >= Float.MIN_NORMAL && squares <= Float.MAX_VALUE
                        ? (float) (VectorUtil.dotProduct(unit, document) / Math.sqrt(squares))
                        : exact(document);
        return Math.max(-1, Math.min(1, cosine));
    }

    private float exact(float[] document) {
        return (float) (dot(unit, document) / Math.sqrt(dot(document, document)));
    }

    private static double dot(float[] left, float[] right) {
        double sum = 0;
        for (int at = 0; at < left.length; at++) {
            sum += (double) left[at] * right[at];
        }
        return sum;
    }
}
