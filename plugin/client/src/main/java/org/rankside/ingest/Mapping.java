package org.rankside.ingest;

import java.util.HashMap;
import java.util.Map;
import org.rankside.client.IndexMeta;
import org.rankside.client.VectorFields;

/**
 * What is of use here of an index's mapping.
 *
 * @param index its name, or that of the one to be made
 * @param meta null where Rankside never wrote it
 * @param properties of the mapping
 * @param vectors what the engine calls a field of them
 */
public record Mapping(String index, IndexMeta meta, Map<String, Object> properties, VectorFields vectors) {
    /**
     * Of a mapping as an object.
     *
     * @throws IllegalArgumentException its {@code _meta.rankside} is broken
     */
    public static Mapping of(String index, Map<String, Object> mapping, VectorFields vectors) {
        try {
            return new Mapping(
                    index, IndexMeta.of(mapping), object(mapping.get("properties")), vectors);
        } catch (IllegalArgumentException error) {
            throw new IllegalArgumentException("index [" + index + "]: " + error.getMessage(), error);
        }
    }

    /** Neither an index of this name nor a template with a mapping for it is there. */
    public static IllegalArgumentException missing(String name) {
        return new IllegalArgumentException(
                "there is no index [" + name + "] and no template with a mapping for it, so nothing"
                        + " says which vectors it is to have; make it with `rankside ingest`, or a"
                        + " template with `rankside apply`");
    }

    /** Nothing can be written by this alias. */
    public static IllegalArgumentException withoutWriteIndex(String alias) {
        return new IllegalArgumentException(
                "alias [" + alias + "] has no write index; give it one, or name an index");
    }

    /**
     * How long the vectors of a field are; 0 where the mapping does not say.
     *
     * @throws IllegalArgumentException it is no field for vectors
     */
    int dimensions(String vectorField) {
        Map<String, Object> field = field(vectorField);
        if (!vectors.type().equals(field.get("type"))) {
            throw new IllegalArgumentException(
                    "field [" + vectorField + "] of index [" + index + "] is "
                            + (field.isEmpty() ? "not mapped" : "of type [" + field.get("type") + "]")
                            + " where " + vectors.type() + " is due; map it, as `rankside ingest` and"
                            + " `rankside backfill` do, or name another vector_field");
        }
        return vectors.dimensions(field);
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
