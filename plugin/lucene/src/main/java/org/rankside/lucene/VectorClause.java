package org.rankside.lucene;

import java.io.IOException;
import java.util.Arrays;
import java.util.Objects;
import org.rankside.client.Vectors;

/**
 * What a {@code rankside_vector} query asks: a vector, and the stored ones that it is compared with.
 *
 * @param field of the document vectors
 * @param vector with a direction; nobody writes into it
 * @param hashField the keyword {@code <fingerprint>:<text hash>} beside each, or null: then all are
 *     compared
 * @param fingerprint which those that are compared have in their hash field; null with it
 */
public record VectorClause(String field, float[] vector, String hashField, String fingerprint) {
    public static final String NAME = "rankside_vector";

    /**
     * Checks what is asked.
     *
     * @throws IllegalArgumentException a part is missing, or the vector has no direction
     */
    public VectorClause {
        if (field == null || vector == null) {
            throw refused("needs [field], that of the document vectors, and [vector]");
        }
        if (Float.isNaN(new Cosine(vector).with(vector))) {
            throw refused(
                    "cannot compare a [vector] that is empty, zero or not finite; "
                            + "give one with a direction");
        }
        if (!(hashField == null && fingerprint == null)) {
            checkBoth(hashField, fingerprint);
        }
        vector = vector.clone();
    }

    /** Compares {@code vector} with all those in {@code field}. */
    public VectorClause(String field, float[] vector) {
        this(field, vector, null, null);
    }

    /** The same, with those alone whose hash has this fingerprint, and those without a hash. */
    public VectorClause among(String hashField, String fingerprint) {
        checkBoth(hashField, fingerprint);
        return new VectorClause(field, vector, hashField, fingerprint);
    }

    /**
     * The vector that a request gives as {@code value}, its JSON as the engine read it.
     *
     * @throws IllegalArgumentException it is none
     */
    public static float[] given(Object value) {
        try {
            return Vectors.read(value);
        } catch (IOException error) {
            throw new IllegalArgumentException(
                    "[" + NAME + "] cannot use [vector] (" + error.getMessage()
                            + "); give base64 of little-endian float32, or an array of numbers",
                    error);
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof VectorClause that
                && field.equals(that.field)
                && Arrays.equals(vector, that.vector)
                && Objects.equals(hashField, that.hashField)
                && Objects.equals(fingerprint, that.fingerprint);
    }

    @Override
    public int hashCode() {
        return Objects.hash(field, Arrays.hashCode(vector), hashField, fingerprint);
    }

    private static void checkBoth(String hashField, String fingerprint) {
        if (hashField == null || hashField.isEmpty() || fingerprint == null || fingerprint.isEmpty()) {
            throw refused("needs [hash_field] and [fingerprint] both, or neither");
        }
    }

    private static IllegalArgumentException refused(String reason) {
        return new IllegalArgumentException("[" + NAME + "] " + reason);
    }
}
