package org.rankside.lucene;

import java.io.IOException;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.search.Scorer;
import org.apache.lucene.search.TwoPhaseIterator;

/**
 * Scores the documents of one segment 1 + cosine, times the boost.
 *
 * <p>Whether a vector is sound shows only when its cosine is taken, so that is the second phase of
 * the match, and the score is there when it is asked for.
 */
final class CosineScorer extends Scorer {
    /** What a document scores at most, before the boost. */
    static final float MOST = 2;

    /** Of the second phase, counted in simple operations: some per dimension of the vector. */
    private static final float COST = 1000;

    private final HashField.Candidates candidates;
    private final DocumentVectors.Current vector;
    private final Cosine cosine;
    private final float boost;
    private float current;

    CosineScorer(
            HashField.Candidates candidates,
            DocumentVectors.Current vector,
            Cosine cosine,
            float boost) {
        this.candidates = candidates;
        this.vector = vector;
        this.cosine = cosine;
        this.boost = boost;
    }

    @Override
    public float score() {
        return boost * (1 + current);
    }

    @Override
    public float getMaxScore(int upTo) {
        return boost * MOST;
    }

    @Override
    public int docID() {
        return candidates.documents().docID();
    }

    @Override
    public DocIdSetIterator iterator() {
        return TwoPhaseIterator.asDocIdSetIterator(twoPhaseIterator());
    }

    @Override
    public TwoPhaseIterator twoPhaseIterator() {
        return new TwoPhaseIterator(candidates.documents()) {
            @Override
            public boolean matches() throws IOException {
                if (!candidates.check().ours(docID())) {
                    return false;
                }
                current = cosine.with(vector.read());
                return !Float.isNaN(current);
            }

            @Override
            public float matchCost() {
                return COST;
            }
        };
    }
}
