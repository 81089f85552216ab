package org.rankside.opensearch.search;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KnnVectorsTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{'dimension': 384}|384|false",
                "{'dimension': -1}|0|false", // of a model_id
                "{'model_id': 'm'}|0|false",
                "{'dimension': 8, 'data_type': 'binary'}|8|true",
                "{'dimension': 8, 'data_type': 'BINARY'}|8|true",
                "{'dimension': 8, 'data_type': 'byte'}|8|false",
            })
    void aMappingSaysHowManyDimensionsOfWhat(String mapping, int dimensions, boolean ofBits) {
        assertEquals(dimensions, KnnVectors.FIELDS.dimensions(Cases.object(mapping)));
        assertEquals(ofBits, KnnVectors.FIELDS.ofBits(Cases.object(mapping)));
    }
}
