package org.rankside.elasticsearch.vector;

import java.util.Map;
import org.rankside.client.VectorFields;

/** {@code dense_vector}. */
public enum DenseVectors implements VectorFields {
    /** Fields of that type. */
    FIELDS;

    @Override
    public String type() {
        return DenseField.TYPE;
    }

    /** A mapping without them takes those of the first document. */
    @Override
    public int dimensions(Map<String, Object> mapping) {
        return mapping.get("dims") instanceof Number number ? number.intValue() : 0;
    }

    @Override
    public boolean ofBits(Map<String, Object> mapping) {
        return "bit".equals(mapping.get("element_type"));
    }
}
