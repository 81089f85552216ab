package org.rankside.opensearch.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import org.junit.jupiter.api.Test;

class KnnVectorsTest {
    @Test
    void aMappingSaysHowManyDimensions() {
        assertEquals(384, KnnVectors.FIELDS.dimensions(Map.of("dimension", 384)));
        Map<String, Object> trained = Map.of("dimension", -1, "model_id", "m");
        assertEquals(0, KnnVectors.FIELDS.dimensions(trained));
        assertEquals(0, KnnVectors.FIELDS.dimensions(Map.of("model_id", "m")));
    }

    @Test
    void aMappingSaysOfWhatTheyAre() {
        Map<String, Boolean> bits =
                Map.of("binary", true, "BINARY", true, "byte", false, "float", false);
        bits.forEach(
                (type, ofBits) ->
                        assertEquals(ofBits, KnnVectors.FIELDS.ofBits(Map.of("data_type", type))));
        assertEquals(false, KnnVectors.FIELDS.ofBits(Map.of()));
    }
}
