package org.rankside.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IndexMetaTest {
    private static final String FULL =
            "{'_meta': {'other': 1, 'rankside': {'fingerprint': 'f', 'model': 'm', 'revision': 'r',"
                    + " 'dimensions': 3, 'vector_field': 'v', 'hash_field': 'h', 'text_fields': ['a.b']}}}";

    @Test
    void whatAMappingSaysIsRead() {
        assertEquals(
                new IndexMeta("f", "m", "r", 3, "v", "h", List.of("a.b")), IndexMeta.of(Cases.object(FULL)));
    }

    @Test
    void whatIsNotSaidIsAsPythonHasIt() {
        String bare = "{'_meta': {'rankside': {'fingerprint': '', 'model': 'm', 'dimensions': 3}}}";
        assertEquals(
                new IndexMeta(
                        "", "m", "", 3, "rankside_vector", "rankside_hash", List.of("title", "text")),
                IndexMeta.of(Cases.object(bare)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "{'_meta': {'other': 1}}", "{'_meta': null}", "{'_meta': 7}"})
    void aMappingThatRanksideNeverWroteSaysNothing(String mapping) {
        assertNull(IndexMeta.of(Cases.object(mapping)));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "'fingerprint': 'f', |``|fingerprint is missing",
                "'dimensions': 3|'dimensions': 0|dimensions is 0",
                "'dimensions': 3|'dimensions': 'many'|dimensions is String",
                "['a.b']|[1]|text_fields holds",
                "['a.b']|'a.b'|text_fields is String",
                "'v'|7|vector_field is Integer",
            })
    void aBrokenOneNamesItsRemedy(String part, String instead, String why) {
        Map<String, Object> broken = Cases.object(FULL.replace(part, instead));
        IllegalArgumentException error =
                assertThrows(IllegalArgumentException.class, () -> IndexMeta.of(broken));
        assertTrue(error.getMessage().contains(why), error.getMessage());
        assertTrue(error.getMessage().endsWith("run `rankside apply` to write it again"));
    }
}
