package org.rankside.opensearch.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteOrder;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.rankside.lucene.Packing;
import org.rankside.lucene.Packing.Element;
import org.rankside.lucene.VectorField;

class KnnFieldTest {
    private static final VectorField FLOATS = field(Element.FLOAT32);

    @Test
    void floatsAreTheDefault() {
        assertEquals(FLOATS, KnnField.of("v", Map.of("dimension", 4), 4));
    }

    @Test
    void bytesAreRead() {
        Map<String, ?> mapping = Map.of("dimension", 4, "data_type", "BYTE");
        assertEquals(field(Element.BYTE), KnnField.of("v", mapping, 4));
    }

    @Test
    void aFieldByAModelTellsNoDimension() {
        assertEquals(FLOATS, KnnField.of("v", Map.of("model_id", "trained"), 4));
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

    private static VectorField field(Element element) {
        return new VectorField("v", new Packing(element, ByteOrder.BIG_ENDIAN, 0));
    }

    private static String refusal(Map<String, ?> mapping) {
        return assertThrows(IllegalArgumentException.class, () -> KnnField.of("v", mapping, 4))
                .getMessage();
    }
}
