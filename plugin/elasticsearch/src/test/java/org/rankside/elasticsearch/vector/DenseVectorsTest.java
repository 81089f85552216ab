package org.rankside.elasticsearch.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import org.junit.jupiter.api.Test;

class DenseVectorsTest {
    @Test
    void aMappingSaysHowManyDimensions() {
        assertEquals(384, DenseVectors.FIELDS.dimensions(Map.of("dims", 384)));
        assertEquals(0, DenseVectors.FIELDS.dimensions(Map.of()));
    }

    @Test
    void aMappingSaysOfWhatTheyAre() {
        Map<String, Boolean> bits = Map.of("bit", true, "byte", false, "float", false);
        bits.forEach(
                (type, ofBits) ->
                        assertEquals(ofBits, DenseVectors.FIELDS.ofBits(Map.of("element_type", type))));
        assertEquals(false, DenseVectors.FIELDS.ofBits(Map.of()));
    }
}
