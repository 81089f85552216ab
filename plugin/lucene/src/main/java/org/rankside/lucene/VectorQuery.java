package org.rankside.lucene;

import java.io.IOException;
import java.util.Arrays;
import java.util.Objects;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.search.Explanation;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.QueryVisitor;
import org.apache.lucene.search.ScoreMode;
import org.apache.lucene.search.ScorerSupplier;
import org.apache.lucene.search.Weight;

/**
 * Matches the documents that have a sound vector of the right model; the score is 1 + cosine.
 *
 * <p>A vector is sound if it has a direction: it is finite and not zero.
 */
public final class VectorQuery extends Query {
    private final VectorField field;
    private final HashField hashes;
    private final float[] vector;

    /**
     * Compares {@code vector}, which has a direction, with those in {@code field}.
     *
     * @param hashes may be null: then every vector is of the right model
     */
    public VectorQuery(VectorField field, HashField hashes, float[] vector) {
        this.field = field;
        this.hashes = hashes;
        this.vector = vector;
    }

    @Override
    public Weight createWeight(IndexSearcher searcher, ScoreMode scoreMode, float boost) {
        return new VectorWeight(boost);
    }

    @Override
    public void visit(QueryVisitor visitor) {
        if (visitor.acceptField(field.name())) {
            visitor.visitLeaf(this);
        }
    }

    @Override
    public String toString(String defaultField) {
        return VectorClause.NAME + "(" + field.name() + ", " + vector.length + " dimensions)";
    }

    @Override
    public boolean equals(Object other) {
        return sameClassAs(other)
                && other instanceof VectorQuery that
                && field.equals(that.field)
                && Objects.equals(hashes, that.hashes)
                && Arrays.equals(vector, that.vector);
    }

    @Override
    public int hashCode() {
        return Objects.hash(classHash(), field, hashes, Arrays.hashCode(vector));
    }

    private final class VectorWeight extends Weight {
        private final Cosine cosine = new Cosine(vector);
        private final float boost;

        VectorWeight(float boost) {
            super(VectorQuery.this);
            this.boost = boost;
        }

        @Override
        public ScorerSupplier scorerSupplier(LeafReaderContext context) throws IOException {
            CosineScorer scorer = scorer(context.reader());
            return scorer == null ? null : new DefaultScorerSupplier(scorer);
        }

        private CosineScorer scorer(LeafReader segment) throws IOException {
            DocumentVectors vectors = DocumentVectors.of(segment, field, vector.length);
            if (vectors == null) {
                return null;
            }
            HashField.Candidates candidates =
                    hashes == null
                            ? new HashField.Candidates(vectors.documents(), HashField.Check.ALL)
                            : hashes.among(vectors.documents(), segment);
            return new CosineScorer(candidates, vectors.current(), cosine, boost);
        }

        /** A vector of its own for every search: nobody asks the same twice. */
        @Override
        public boolean isCacheable(LeafReaderContext context) {
            return false;
        }

        @Override
        public Explanation explain(LeafReaderContext context, int document) throws IOException {
            DocumentVectors vectors = DocumentVectors.of(context.reader(), field, vector.length);
            if (vectors == null || vectors.documents().advance(document) != document) {
                return Explanation.noMatch("no vector in field " + field.name());
            }
            if (hashes != null && !hashes.allows(document, context.reader())) {
                return Explanation.noMatch(
                        "field " + hashes.name() + " names another model than "
                                + hashes.fingerprint() + ", so the vector was not compared");
            }
            return explained(cosine.with(vectors.current().read()), vectors.form());
        }

        private Explanation explained(float found, String form) {
            if (Float.isNaN(found)) {
                return Explanation.noMatch(
                        "the vector in field " + field.name() + " is zero or not finite");
            }
            return Explanation.match(
                    boost * (1 + found),
                    "boost * (1 + cosine), computed from:",
                    Explanation.match(boost, "boost"),
                    Explanation.match(
                            found,
                            "cosine of the given vector and the document's in field "
                                    + field.name() + ", " + vector.length + " dimensions, " + form));
        }
    }
}
