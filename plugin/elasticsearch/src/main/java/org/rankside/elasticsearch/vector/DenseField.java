package org.rankside.elasticsearch.vector;

import java.io.IOException;
import java.nio.ByteOrder;
import java.util.Map;
import org.elasticsearch.common.bytes.BytesReference;
import org.elasticsearch.common.xcontent.XContentHelper;
import org.elasticsearch.index.IndexVersion;
import org.elasticsearch.index.mapper.Mapper;
import org.elasticsearch.index.mapper.vectors.DenseVectorFieldMapper;
import org.elasticsearch.index.mapper.vectors.DenseVectorFieldMapper.DenseVectorFieldType;
import org.elasticsearch.xcontent.ToXContent;
import org.elasticsearch.xcontent.XContentBuilder;
import org.elasticsearch.xcontent.XContentType;
import org.elasticsearch.xcontent.json.JsonXContent;
import org.rankside.lucene.Packing;
import org.rankside.lucene.Packing.Element;
import org.rankside.lucene.VectorField;

/**
 * What a mapping says of a {@code dense_vector} field.
 *
 * @param created the version that made the index
 */
record DenseField(DenseVectorFieldType type, IndexVersion created) {
    static final String TYPE = DenseVectorFieldMapper.CONTENT_TYPE;

    /**
     * Checks the field as {@code mapper} prints it: the type's own getter of the dimension fails
     * where no document has come to set it.
     *
     * @throws IllegalArgumentException its vectors are of bits, or not of {@code dimension} numbers
     */
    VectorField of(Mapper mapper, int dimension) throws IOException {
        return of(body(mapper), dimension);
    }

    VectorField of(Map<?, ?> mapping, int dimension) {
        VectorField field = new VectorField(type.name(), packing());
        if (mapping.get("dims") instanceof Number mapped) {
            field.check(mapped.intValue(), dimension);
        }
        return field;
    }

    /** What the engine writes for a field with {@code index: false}. */
    private Packing packing() {
        Element element = switch (type.getElementType()) {
            case FLOAT -> Element.FLOAT32;
            case BFLOAT16 -> Element.BFLOAT16;
            case BYTE -> Element.BYTE;
            case BIT ->
                    throw new IllegalArgumentException(
                            "field " + type.name() + " holds bit vectors, which have no cosine; "
                                    + "map another one with element_type float, bfloat16 or byte");
        };
        boolean little = created.onOrAfter(DenseVectorFieldMapper.LITTLE_ENDIAN_FLOAT_STORED_INDEX_VERSION);
        boolean length = created.onOrAfter(DenseVectorFieldMapper.MAGNITUDE_STORED_INDEX_VERSION);
        return new Packing(
                element,
                little ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN,
                length ? DenseVectorFieldMapper.MAGNITUDE_BYTES : 0);
    }

    private static Map<?, ?> body(Mapper mapper) throws IOException {
        try (XContentBuilder builder = JsonXContent.contentBuilder()) {
            mapper.toXContent(builder.startObject(), ToXContent.EMPTY_PARAMS).endObject();
            Map<String, Object> named =
                    XContentHelper.convertToMap(BytesReference.bytes(builder), false, XContentType.JSON).v2();
            return (Map<?, ?>) named.values().iterator().next();
        }
    }
}
