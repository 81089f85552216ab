package org.rankside.search;

import java.util.Arrays;
import java.util.Objects;

/**
 * A vector, and the stored ones that it is compared with.
 *
 * @param field of the stored vectors
 * @param vector nobody writes into it
 * @param hashField the keyword {@code <fingerprint>:<text hash>} beside each; null: all are compared
 * @param fingerprint which those that are compared have in their hash field; null where that is
 */
public record Comparison(String field, float[] vector, String hashField, String fingerprint) {
    /** With all those in {@code field}. */
    public Comparison(String field, float[] vector) {
        this(field, vector, null, null);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Comparison one
                && field.equals(one.field)
                && Arrays.equals(vector, one.vector)
                && Objects.equals(hashField, one.hashField)
                && Objects.equals(fingerprint, one.fingerprint);
    }

    @Override
    public int hashCode() {
        return Objects.hash(field, Arrays.hashCode(vector), hashField, fingerprint);
    }
}
