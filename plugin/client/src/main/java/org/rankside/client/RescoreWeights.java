package org.rankside.client;

/**
 * Weights of a rescore that orders hits by {@code cos + firstStageWeight * _score}.
 *
 * <p>{@code query} is for the first-stage score and always a power of two: that changes a float's
 * exponent only, so that hits which no rescore touches keep first-stage order to the last bit.
 * {@code rescore} is for the cosine. ADR 3 has the reasons; {@code connectors/rescore.py} is the same
 * rule for the client side, and one file of cases is run on both.
 */
public record RescoreWeights(float query, float rescore) {
    private static final int FLOOR = 40;
    private static final int HEADROOM = 30;

    /** For a model's first-stage weight, where {@code highest} is the best {@code _score}. */
    public static RescoreWeights of(double firstStageWeight, double highest) {
        float least = least(highest);
        if (firstStageWeight < least) {
            return new RescoreWeights(least, 1f);
        }
        int below = Math.getExponent(firstStageWeight);
        boolean nearerAbove = firstStageWeight > Math.scalb(Math.sqrt(2), below);
        double query = Math.scalb(1.0, nearerAbove ? below + 1 : below);
        return new RescoreWeights((float) query, (float) (query / firstStageWeight));
    }

    /**
     * The weight that keeps first-stage order beyond the window and stays unseen within it.
     *
     * <p>With 0, hits beyond the window would tie. 2⁻⁴⁰ puts scores of up to 1024 below half the
     * last bit of a float between 1 and 2; higher scores get a smaller power.
     */
    public static float least(double highest) {
        if (!Double.isFinite(highest) || highest <= 0) {
            return Math.scalb(1f, -FLOOR);
        }
        int below = Math.getExponent(highest);
        int above = highest == Math.scalb(1.0, below) ? below : below + 1;
        return Math.scalb(1f, Math.max(Float.MIN_EXPONENT, -Math.max(FLOOR, above + HEADROOM)));
    }
}
