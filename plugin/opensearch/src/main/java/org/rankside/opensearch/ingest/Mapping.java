package org.rankside.opensearch.ingest;

import java.util.HashMap;
import java.util.Map;
import org.rankside.client.IndexMeta;

/**
 * What is of use here of an index's mapping.
 *
 * @param index its name, or that of the one to be made
 * @param meta null where Rankside never wrote it
 * @param properties of the mapping
 */
record Mapping(String index, IndexMeta meta, Map<String, Object> properties) {
    private static final String VECTOR_TYPE = "knn_vector";

    /**
     * Of a mapping as an object.
     *
     * @throws IllegalArgumentException its {@code _meta.rankside} is broken
     */
    static Mapping of(String index, Map<String, Object> mapping) {
        try {
            return new Mapping(index, IndexMeta.of(mapping), object(mapping.get("properties")));
        } catch (IllegalArgumentException error) {
            throw new IllegalArgumentException("index [" + index + "]: " + error.getMessage(), error);
        }
    }

    /**
     * How long the vectors of a field are; 0 where the mapping does not say.
     *
     * @throws IllegalArgumentException it is no field for vectors
     */
    int dimensions(String vectorField) {
        Map<String, Object> field = field(vectorField);
        if (!VECTOR_TYPE.equals(field.get("type"))) {
            throw new IllegalArgumentException(
                    "field [" + vectorField + "] of index [" + index + "] is "
                            + (field.isEmpty() ? "not mapped" : "of type [" + field.get("type") + "]")
                            + " where " + VECTOR_TYPE + " is due; map it, as `rankside ingest` and"
                            + " `rankside backfill` do, or name another vector_field");
        }
        return field.get("dimension") instanceof Number dimension ? dimension.intValue() : 0;
    }

    /** The mapping of a field by its dotted name; empty where there is none. */
    private Map<String, Object> field(String name) {
        Map<String, Object> among = properties;
        Map<String, Object> found = Map.of();
        for (String part : name.split("\\.", -1)) {
            found = object(among.get(part));
            among = new HashMap<>(object(found.get("properties")));
            among.putAll(object(found.get("fields")));
        }
        return found;
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> object(Object value) {
        return value instanceof Map<?, ?> ? (Map<String, Object>) value : Map.of();
    }
}
