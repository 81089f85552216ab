package org.rankside.opensearch.search;

import java.util.Map;
import org.opensearch.cluster.metadata.IndexMetadata;
import org.opensearch.cluster.metadata.MappingMetadata;
import org.rankside.client.IndexMeta;

/**
 * What one index's mapping says: its fields, and Rankside's own word in {@code _meta.rankside}.
 *
 * @param meta null where Rankside never wrote it
 * @param properties of the mapping
 */
record IndexFacts(IndexMeta meta, Map<String, Object> properties) {
    /**
     * Of {@code index}.
     *
     * @throws PassThrough its {@code _meta.rankside} is broken
     */
    static IndexFacts of(IndexMetadata index) {
        MappingMetadata mapping = index.mapping();
        Map<String, Object> source = mapping == null ? Map.of() : mapping.sourceAsMap();
        try {
            return new IndexFacts(IndexMeta.of(source), object(source.get("properties")));
        } catch (IllegalArgumentException error) {
            String name = index.getIndex().getName();
            throw new PassThrough("broken_meta", name + ": " + error.getMessage(), error);
        }
    }

    /** The mapping of the field {@code name} (dotted for one inside another), or null. */
    Map<String, Object> field(String name) {
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
