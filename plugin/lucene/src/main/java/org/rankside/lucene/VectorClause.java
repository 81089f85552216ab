package org.rankside.lucene;

import java.io.IOException;
import org.rankside.client.Vectors;
import org.rankside.search.Comparison;

/** What a {@code rankside_vector} query may ask. */
public final class VectorClause {
    public static final String NAME = "rankside_vector";

    private VectorClause() {}

    /**
     * The same, with a vector that nobody else writes into.
     *
     * @throws IllegalArgumentException a part is missing, or the vector has no direction
     */
    public static Comparison checked(Comparison asked) {
        float[] vector = asked.vector();
        if (asked.field() == null || vector == null) {
            throw refused("needs [field], that of the document vectors, and [vector]");
        }
        if (Float.isNaN(new Cosine(vector).with(vector))) {
            throw refused(
                    "cannot compare a [vector] that is empty, zero or not finite; "
                            + "give one with a direction");
        }
        if (!(asked.hashField() == null && asked.fingerprint() == null)) {
            checkBoth(asked.hashField(), asked.fingerprint());
        }
        return new Comparison(asked.field(), vector.clone(), asked.hashField(), asked.fingerprint());
    }

    /** The same, with those alone whose hash has this fingerprint, and those without a hash. */
    public static Comparison among(Comparison asked, String hashField, String fingerprint) {
        checkBoth(hashField, fingerprint);
        return new Comparison(asked.field(), asked.vector(), hashField, fingerprint);
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

    private static void checkBoth(String hashField, String fingerprint) {
        if (hashField == null || hashField.isEmpty() || fingerprint == null || fingerprint.isEmpty()) {
            throw refused("needs [hash_field] and [fingerprint] both, or neither");
        }
    }

    private static IllegalArgumentException refused(String reason) {
        return new IllegalArgumentException("[" + NAME + "] " + reason);
    }
}
