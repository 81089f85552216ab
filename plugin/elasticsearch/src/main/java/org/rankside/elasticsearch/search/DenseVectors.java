package org.rankside.elasticsearch.search;

import java.util.Map;
import org.rankside.search.VectorFields;

/** {@code dense_vector}. */
enum DenseVectors implements VectorFields {
    /** Fields of that type. */
    FIELDS;

    @Override
    public String type() {
        return "dense_vector";
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
