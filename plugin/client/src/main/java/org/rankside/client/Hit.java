package org.rankside.client;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One hit of the first stage.
 *
 * @param score the engine's {@code _score}
 * @param text null where the call needs none
 * @param vector its stored vector, or null
 */
public record Hit(String id, float score, String text, float[] vector) {
    Map<String, Object> written() {
        Map<String, Object> hit = new LinkedHashMap<>();
        hit.put("id", id);
        hit.put("score", score);
        putUnlessNull(hit, "text", text);
        putUnlessNull(hit, "vector", vector == null ? null : Vectors.write(vector));
        return hit;
    }

    static void putUnlessNull(Map<String, Object> object, String name, Object value) {
        if (value != null) {
            object.put(name, value);
        }
    }
}
