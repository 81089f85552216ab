package org.rankside.opensearch.vector;

import java.io.IOException;
import java.nio.ByteOrder;
import java.util.Map;
import org.opensearch.common.xcontent.XContentHelper;
import org.opensearch.common.xcontent.json.JsonXContent;
import org.opensearch.core.common.bytes.BytesReference;
import org.opensearch.core.xcontent.MediaTypeRegistry;
import org.opensearch.core.xcontent.ToXContent;
import org.opensearch.core.xcontent.XContentBuilder;
import org.opensearch.index.mapper.Mapper;
import org.rankside.lucene.Packing;
import org.rankside.lucene.Packing.Element;
import org.rankside.lucene.VectorField;

/** What a mapping says of a {@code knn_vector} field. */
final class KnnField {
    static final String TYPE = "knn_vector";

    private KnnField() {}

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
        VectorField field = new VectorField(name, packing(type));
        // A field by a trained model has its dimension in the model.
        if (mapping.get("dimension") instanceof Number mapped && mapped.intValue() > 0) {
            field.check(mapped.intValue(), dimension);
        }
        return field;
    }

    /** What k-NN writes for a field without a method, and for fields of indices before 2.17. */
    private static Packing packing(String type) {
        Element element = type.equalsIgnoreCase("byte") ? Element.BYTE : Element.FLOAT32;
        return new Packing(element, ByteOrder.BIG_ENDIAN, 0);
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
