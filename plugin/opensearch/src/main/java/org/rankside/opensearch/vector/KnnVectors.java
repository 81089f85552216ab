package org.rankside.opensearch.vector;

import java.util.Map;
import org.rankside.client.VectorFields;

/** {@code knn_vector}, of the k-NN plugin. */
public enum KnnVectors implements VectorFields {
    /** Fields of that type. */
    FIELDS;

    @Override
    public String type() {
        return KnnField.TYPE;
    }

    /** A model_id takes the place of the dimension; the query sees it on the shard. */
    @Override
    public int dimensions(Map<String, Object> mapping) {
        return mapping.get("dimension") instanceof Number number ? Math.max(number.intValue(), 0) : 0;
    }

    /** k-NN prints as BINARY what was given as binary. */
    @Override
    public boolean ofBits(Map<String, Object> mapping) {
        return "binary".equalsIgnoreCase(String.valueOf(mapping.get("data_type")));
    }
}
