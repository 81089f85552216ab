package org.rankside.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.util.Map;
import org.junit.jupiter.api.Test;

class KeptFactsTest {
    private final KeptFacts kept = new KeptFacts();
    private int read;

    @Test
    void aMappingIsReadAnewOnlyWhereItChanged() {
        IndexFacts first = facts("uuid", 1);
        assertSame(first, facts("uuid", 1));
        assertEquals(1, read);
        facts("uuid", 2);
        facts("other", 1);
        assertEquals(3, read);
    }

    @Test
    void oldVersionsDoNotPileUp() {
        IndexFacts first = facts("uuid", 0);
        for (int version = 1; version <= 1000; version++) {
            facts("uuid", version);
        }
        assertEquals(first, facts("uuid", 0));
        assertEquals(1002, read); // forgotten by then
    }

    private IndexFacts facts(String uuid, long version) {
        return kept.of(
                "books",
                uuid,
                version,
                () -> {
                    read++;
                    return Map.of();
                });
    }
}
