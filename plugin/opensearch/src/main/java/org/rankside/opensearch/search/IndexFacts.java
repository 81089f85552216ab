package org.rankside.opensearch.search;

import java.util.List;
import java.util.Map;
import org.opensearch.cluster.metadata.IndexMetadata;
import org.opensearch.cluster.metadata.MappingMetadata;

/**
 * What one index's mapping says: its fields, and Rankside's own word in {@code _meta.rankside}.
 *
 * @param meta null where Rankside never wrote it
 * @param properties of the mapping
 */
record IndexFacts(Meta meta, Map<String, Object> properties) {
    /** {@code _meta.rankside}; {@code connectors/meta.py} writes it. */
    record Meta(String fingerprint, String vectorField, String hashField, List<String> textFields) {}

    /**
     * Of {@code index}.
     *
     * @throws PassThrough its {@code _meta.rankside} is broken
     */
    static IndexFacts of(IndexMetadata index) {
        MappingMetadata mapping = index.mapping();
        Map<String, Object> source = mapping == null ? Map.of() : mapping.sourceAsMap();
        Map<String, Object> properties = object(source.get("properties"));
        Object raw = object(source.get("_meta")).get("rankside");
        return new IndexFacts(raw == null ? null : meta(index.getIndex().getName(), raw), properties);
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

    private static Meta meta(String index, Object raw) {
        Map<String, Object> meta = object(raw);
        if (!(meta.get("fingerprint") instanceof String fingerprint)
                || !(meta.getOrDefault("text_fields", List.of("title", "text")) instanceof List<?> texts)) {
            throw new PassThrough(
                    "broken_meta",
                    "the mapping of " + index + " has a _meta.rankside that cannot be read; run"
                            + " `rankside apply` to write it again");
        }
        return new Meta(
                fingerprint,
                String.valueOf(meta.getOrDefault("vector_field", "rankside_vector")),
                String.valueOf(meta.getOrDefault("hash_field", "rankside_hash")),
                texts.stream().map(String::valueOf).toList());
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> object(Object value) {
        return value instanceof Map<?, ?> ? (Map<String, Object>) value : Map.of();
    }
}
