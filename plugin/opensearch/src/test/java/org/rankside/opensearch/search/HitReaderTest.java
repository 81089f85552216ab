package org.rankside.opensearch.search;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.rankside.search.Place;
import org.rankside.search.Target;
import org.rankside.search.WindowHit;

class HitReaderTest {
    private static final Target TARGET =
            new Target(List.of("title", "body.text"), "v", 3, "f", "h", List.of());

    @Test
    void allThatWasFetchedIsRead() {
        WindowHit read =
                HitReader.read(
                        Hits.hit(
                                "i",
                                "7",
                                2.5f,
                                "{'title': ' A title ', 'body': {'text': ['one', 'two']}, 'other': 1}",
                                Map.of("v", List.of(1, 2.5, 3f), "h", List.of("f:abc"))),
                        TARGET);
        assertEquals(new Place("i", "7"), read.place());
        assertEquals(2.5f, read.score());
        assertEquals("A title\none two", read.text());
        assertArrayEquals(new float[] {1, 2.5f, 3}, read.vector());
        assertEquals("f", read.fingerprint());
    }

    @Test
    void whatWasNotFetchedIsNull() {
        WindowHit read = HitReader.read(Hits.hit("i", "7", 1), TARGET);
        assertNull(read.text());
        assertNull(read.vector());
    }

    @Test
    void aDocumentWithoutAHashSaysSo() {
        assertEquals("", fingerprint("h", Map.of()));
        assertEquals("", fingerprint("h", Map.of("h", List.of())));
    }

    @Test
    void anIndexWithoutHashesSaysNothing() {
        assertNull(fingerprint(null, Map.of("h", List.of("f:abc"))));
    }

    private static String fingerprint(String hashField, Map<String, List<Object>> fields) {
        Target target = new Target(List.of("t"), "v", 3, "f", hashField, List.of());
        return HitReader.read(Hits.hit("i", "7", 1, null, fields), target).fingerprint();
    }
}
