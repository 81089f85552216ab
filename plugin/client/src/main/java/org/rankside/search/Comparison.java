package org.rankside.search;

import java.util.Arrays;
import java.util.Objects;

/**
 * A vector to compare stored ones with.
 *
 * @param field of the stored vectors
 * @param hashField which says what a stored vector is of; null: nothing does
 * @param fingerprint of the vectors that may be compared; null where {@code hashField} is
 */
public record Comparison(String field, float[] vector, String hashField, String fingerprint) {
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
