package org.rankside.opensearch.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.junit.jupiter.api.Test;

class VectorFieldTest {
    @Test
    void floatsAreTheDefault() {
        VectorField field = VectorField.of("v", Map.of("dimension", 4), 4);
        assertEquals(new VectorField("v", false), field);
    }

    @Test
    void bytesAreRead() {
        Map<String, ?> mapping = Map.of("dimension", 4, "data_type", "BYTE");
        assertEquals(new VectorField("v", true), VectorField.of("v", mapping, 4));
    }

    @Test
    void aFieldByAModelTellsNoDimension() {
        Map<String, ?> mapping = Map.of("model_id", "trained");
        assertEquals(new VectorField("v", false), VectorField.of("v", mapping, 4));
    }

    @Test
    void binaryVectorsAreRefused() {
        Map<String, ?> mapping = Map.of("dimension", 8, "data_type", "BINARY");
        assertTrue(refusal(mapping).contains("binary"));
    }

    @Test
    void anotherDimensionIsRefusedByBothNumbers() {
        String message = refusal(Map.of("dimension", 384));
        assertTrue(message.contains(" 4 dimensions") && message.contains("have 384;"), message);
    }

    private static String refusal(Map<String, ?> mapping) {
        return assertThrows(
                        IllegalArgumentException.class, () -> VectorField.of("v", mapping, 4))
                .getMessage();
    }
}
