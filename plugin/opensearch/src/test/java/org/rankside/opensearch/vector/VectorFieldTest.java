package org.rankside.opensearch.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.junit.jupiter.api.Test;

class VectorFieldTest {
    @Test
    void floatsAreTheDefault() {
        VectorField field = VectorField.of("v", Map.of("type", "knn_vector", "dimension", 4), 4);
        assertEquals(new VectorField("v", false), field);
    }

    @Test
    void bytesAreRead() {
        Map<String, ?> mapping = Map.of("type", "knn_vector", "dimension", 4, "data_type", "byte");
        assertEquals(new VectorField("v", true), VectorField.of("v", mapping, 4));
    }

    @Test
    void aFieldByAModelTellsNoDimension() {
        Map<String, ?> mapping = Map.of("type", "knn_vector", "model_id", "trained");
        assertEquals(new VectorField("v", false), VectorField.of("v", mapping, 4));
    }

    @Test
    void binaryVectorsAreRefused() {
        Map<String, ?> mapping = Map.of("type", "knn_vector", "dimension", 8, "data_type", "binary");
        assertTrue(refusal(mapping).contains("binary"));
    }

    @Test
    void anotherTypeIsRefused() {
        assertTrue(refusal(Map.of("type", "text")).contains("field v is text, not knn_vector"));
    }

    @Test
    void anotherDimensionIsRefusedByBothNumbers() {
        String message = refusal(Map.of("type", "knn_vector", "dimension", 384));
        assertTrue(message.contains(" 4 dimensions") && message.contains("have 384;"), message);
    }

    private static String refusal(Map<String, ?> mapping) {
        return assertThrows(
                        IllegalArgumentException.class, () -> VectorField.of("v", mapping, 4))
                .getMessage();
    }
}
