package org.rankside.lucene;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Set;
import java.util.TreeSet;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.search.Explanation;
import org.apache.lucene.search.FilterDocIdSetIterator;
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
            DocIdSetIterator all = DocIdSetIterator.all(segment.maxDoc());
            HashField.Candidates candidates = hashes.among(all, segment);
            assertSame(HashField.Check.ALL, candidates.check());
            assertSame(all, candidates.documents());
        }
    }

    @Test
    void aSegmentOfOtherModelsIsSteppedOverWithoutAskingEveryDocument() throws IOException {
        try (MemoryIndex index = new MemoryIndex(Storage.COSINE)) {
            for (int number = 0; number < 500; number++) {
                index.add(number, VECTOR, (number < 250 ? "aaa:" : "ccc:") + number);
            }
            LeafReader segment = index.searcher().getIndexReader().leaves().getFirst().reader();
            Counting asked = new Counting(DocIdSetIterator.all(segment.maxDoc()));
            HashField.Candidates candidates = hashes.among(asked, segment);
            assertEquals(DocIdSetIterator.NO_MORE_DOCS, candidates.documents().advance(3));
            assertEquals(2, asked.steps);
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

    /** Counts the steps of an iterator. */
    private static final class Counting extends FilterDocIdSetIterator {
        private int steps;

        Counting(DocIdSetIterator in) {
            super(in);
        }

        @Override
        public int nextDoc() throws IOException {
            steps++;
            return in.nextDoc();
        }

        @Override
        public int advance(int target) throws IOException {
            steps++;
            return in.advance(target);
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
