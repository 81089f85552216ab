package org.rankside.search;

import java.util.Map;
import org.rankside.client.IndexMeta;

/**
 * What one index's mapping says: its fields, and Rankside's own word in {@code _meta.rankside}.
 *
 * @param meta null where Rankside never wrote it
 * @param properties of the mapping
 */
public record IndexFacts(IndexMeta meta, Map<String, Object> properties) {
    /**
     * Of an index's mapping, as an object with {@code properties}.
     *
     * @throws PassThrough its {@code _meta.rankside} is broken
     */
    public static IndexFacts of(String index, Map<String, Object> mapping) {
        try {
            return new IndexFacts(IndexMeta.of(mapping), object(mapping.get("properties")));
        } catch (IllegalArgumentException error) {
            throw new PassThrough("broken_meta", index + ": " + error.getMessage(), error);
        }
    }

    /** The mapping of the field {@code name} (dotted for one inside another), or null. */
    public Map<String, Object> field(String name) {
        Map<String, Object> among = properties;
        Map<String, Object> found = null;
        for (String part : name.split("\\.")) {
            if (!(among.get(part) instanceof Map<?, ?>)) {
                return null;
            }
            found = object(among.get(part));
            among = object(found.getOrDefault("properties", found.get("fields")));
        }
        return found;
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> object(Object value) {
        return value instanceof Map<?, ?> ? (Map<String, Object>) value : Map.of();
    }
}
