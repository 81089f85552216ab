package org.rankside.opensearch.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Set;
import java.util.TreeSet;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.search.Explanation;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.ScoreDoc;
import org.junit.jupiter.api.Test;

class HashFieldTest {
    private static final float[] VECTOR = {1, 2, 3};
    private final HashField hashes = new HashField(MemoryIndex.HASH, "bbb");
    private final Query query = new VectorQuery(Storage.COSINE.field(), hashes, VECTOR);

    @Test
    void vectorsOfOtherModelsAreNotComparedThoseWithoutAHashAre() throws IOException {
        try (MemoryIndex index = new MemoryIndex(Storage.COSINE)) {
            index.add(0, VECTOR, "bbb:0").add(1, VECTOR, "aaa:0").add(2, VECTOR, null);
            index.add(3, VECTOR, "ccc:0").add(4, VECTOR, "bbb:1").endSegment();
            index.add(5, VECTOR, "aaa:0").add(6, VECTOR, null).endSegment();
            index.add(7, VECTOR, "ccc:0").add(8, VECTOR, null).endSegment();
            index.add(9, VECTOR, "bbb:0").add(10, VECTOR, null).endSegment();
            index.add(11, VECTOR, null).endSegment();
            assertEquals(Set.of(0, 2, 4, 6, 8, 9, 10, 11), matched(index));
        }
    }

    @Test
    void aFingerprintThatBeginsAsOursIsAnother() throws IOException {
        try (MemoryIndex index = new MemoryIndex(Storage.COSINE)) {
            index.add(0, VECTOR, "bbb:0").add(1, VECTOR, "bbbb:0").add(2, VECTOR, "bbb");
            index.add(3, VECTOR, "bb:0").add(4, VECTOR, "bbb;").add(5, VECTOR, "bbb:\uffff");
            assertEquals(Set.of(0, 5), matched(index));
        }
    }

    @Test
    void aSegmentOfOurModelAloneIsNotCheckedByDocument() throws IOException {
        try (MemoryIndex index = new MemoryIndex(Storage.COSINE)) {
            index.add(0, VECTOR, "bbb:0").add(1, VECTOR, "bbb:1").add(2, VECTOR, null);
            LeafReader segment = index.searcher().getIndexReader().leaves().getFirst().reader();
            assertSame(HashField.Check.ALL, hashes.check(segment));
        }
    }

    @Test
    void theExplanationNamesTheFieldAndTheFingerprint() throws IOException {
        try (MemoryIndex index = new MemoryIndex(Storage.COSINE)) {
            IndexSearcher searcher = index.add(0, VECTOR, "aaa:0").searcher();
            Explanation explanation = searcher.explain(query, 0);
            assertTrue(explanation.getDescription().contains("field hash names"));
            assertTrue(explanation.getDescription().contains("bbb"));
        }
    }

    private Set<Integer> matched(MemoryIndex index) throws IOException {
        Set<Integer> numbers = new TreeSet<>();
        for (ScoreDoc hit : index.searcher().search(query, 100).scoreDocs) {
            numbers.add(index.number(hit.doc));
        }
        return numbers;
    }
}
