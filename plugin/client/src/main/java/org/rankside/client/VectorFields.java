package org.rankside.client;

import java.util.Map;

/** What an engine's mapping says of a field of vectors. */
public interface VectorFields {
    /** The engine's name for such a field. */
    String type();

    /** How many dimensions; 0: it does not say. */
    int dimensions(Map<String, Object> mapping);

    /** Whether the vectors, of a field of the {@link #type}, are of bits, which have no cosine. */
    boolean ofBits(Map<String, Object> mapping);
}
