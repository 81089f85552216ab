package org.rankside.opensearch.vector;

import java.io.IOException;
import java.util.Map;
import org.opensearch.common.xcontent.XContentHelper;
import org.opensearch.common.xcontent.json.JsonXContent;
import org.opensearch.core.common.bytes.BytesReference;
import org.opensearch.core.xcontent.MediaTypeRegistry;
import org.opensearch.core.xcontent.ToXContent;
import org.opensearch.core.xcontent.XContentBuilder;
import org.opensearch.index.mapper.Mapper;

/**
 * What a mapping says of a vector field.
 *
 * @param name as Lucene has it
 * @param bytes whether its vectors are of bytes, else they are of float32
 */
record VectorField(String name, boolean bytes) {
    static final String TYPE = "knn_vector";

    /**
     * Reads the mapping of k-NN's field, whose classes another plugin does not see, from its JSON.
     *
     * @throws IllegalArgumentException its vectors are binary, or not of {@code dimension} numbers
     */
    static VectorField of(Mapper mapper, int dimension) throws IOException {
        return of(mapper.name(), body(mapper), dimension);
    }

    static VectorField of(String name, Map<?, ?> mapping, int dimension) {
        // k-NN prints as BYTE what was given as byte.
        String type = String.valueOf(mapping.get("data_type"));
        if (type.equalsIgnoreCase("binary")) {
            throw new IllegalArgumentException(
                    "field " + name + " holds binary vectors, which have no cosine; "
                            + "map another one with data_type float or byte");
        }
        VectorField field = new VectorField(name, type.equalsIgnoreCase("byte"));
        // A field by a trained model has its dimension in the model.
        if (mapping.get("dimension") instanceof Number mapped && mapped.intValue() > 0) {
            field.check(mapped.intValue(), dimension);
        }
        return field;
    }

    /**
     * Checks the field's dimension against that of the query's vector.
     *
     * @throws IllegalArgumentException they differ
     */
    void check(int mapped, int dimension) {
        if (mapped != dimension) {
            throw new IllegalArgumentException(
                    "the vector has " + dimension + " dimensions and those of field " + name + " have "
                            + mapped + "; ask with a vector of the model that embedded the documents");
        }
    }

    private static Map<?, ?> body(Mapper mapper) throws IOException {
        try (XContentBuilder builder = JsonXContent.contentBuilder()) {
            mapper.toXContent(builder.startObject(), ToXContent.EMPTY_PARAMS).endObject();
            Map<String, Object> named =
                    XContentHelper.convertToMap(BytesReference.bytes(builder), false, MediaTypeRegistry.JSON).v2();
            return (Map<?, ?>) named.values().iterator().next();
        }
    }
}
