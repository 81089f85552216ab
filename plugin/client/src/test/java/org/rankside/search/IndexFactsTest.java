package org.rankside.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.rankside.client.Cases;
import org.rankside.client.IndexMeta;

class IndexFactsTest {
    private static final String FULL =
            "{'_meta': {'other': 1, 'rankside': {'fingerprint': 'f', 'model': 'm', 'revision': 'r',"
                    + " 'dimensions': 3, 'vector_field': 'v', 'hash_field': 'h', 'text_fields': ['t']}},"
                    + " 'properties': {'v': {'type': 'knn_vector'},"
                    + " 'book': {'properties': {'title': {'type': 'text',"
                    + " 'fields': {'raw': {'type': 'keyword'}}}}}}}";

    @Test
    void whatRanksideWroteIsRead() {
        assertEquals(
                new IndexMeta("f", "m", "r", 3, "v", "h", List.of("t")),
                IndexFacts.of("a", Cases.object(FULL)).meta());
    }

    @ParameterizedTest
    @ValueSource(strings = {"{'properties': {}}", "{'_meta': {'other': 1}}"})
    void anIndexThatRanksideNeverWroteIsNoneOfOurs(String mapping) {
        assertNull(IndexFacts.of("a", Cases.object(mapping)).meta());
    }

    @Test
    void anIndexWithoutAMappingHasNoFields() {
        assertEquals(
                new IndexFacts(null, Map.of()),
                IndexFacts.of("a", Map.of()));
    }

    @ParameterizedTest
    @CsvSource({
        "v, knn_vector",
        "book.title, text",
        "book.title.raw, keyword",
    })
    void aFieldIsFoundByItsDottedName(String name, String type) {
        assertEquals(type, IndexFacts.of("a", Cases.object(FULL)).field(name).get("type"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"title", "book.author", "book.title.raw.deeper", "v.v", ""})
    void aFieldThatIsNotThereIsNull(String name) {
        assertNull(IndexFacts.of("a", Cases.object(FULL)).field(name));
    }

    @Test
    void aBrokenWordIsNamedWithItsIndexAndItsRemedy() {
        String broken = FULL.replace("'dimensions': 3", "'dimensions': 0");
        PassThrough passed =
                assertThrows(PassThrough.class, () -> IndexFacts.of("books-1", Cases.object(broken)));
        assertEquals("broken_meta", passed.reason());
        assertEquals(
                "books-1: the mapping's _meta.rankside cannot be read (dimensions is 0); run"
                        + " `rankside apply` to write it again",
                passed.getMessage());
    }
}
