package org.rankside.lucene;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.search.BoostQuery;
import org.apache.lucene.search.Explanation;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.MatchAllDocsQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.QueryRescorer;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.search.ScoreMode;
import org.apache.lucene.search.TopDocs;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class VectorQueryTest {
    private static final int DIMENSION = 19;
    private static final int DOCUMENTS = 120;
    private static final double CLOSE = 1e-5;
    private final Random random = new Random(7);
    private final float[] asked = vector();

    @ParameterizedTest
    @EnumSource
    void everyStorageScoresAsByHand(Storage storage) throws IOException {
        Map<Integer, Double> expected = new HashMap<>();
        try (MemoryIndex index = filled(storage, expected)) {
            IndexSearcher searcher = index.searcher();
            assertTrue(searcher.getIndexReader().leaves().size() > 3);
            Query query = new VectorQuery(storage.field(), null, asked);
            assertScores(expected, scores(index, searcher.search(query, DOCUMENTS)));
        }
    }

    @ParameterizedTest
    @EnumSource
    void aRescoreScoresTheWindowAndKeepsTheRestInOrder(Storage storage) throws IOException {
        Map<Integer, Double> expected = new HashMap<>();
        try (MemoryIndex index = filled(storage, expected)) {
            IndexSearcher searcher = index.searcher();
            TopDocs window = searcher.search(MatchAllDocsQuery.INSTANCE, DOCUMENTS);
            Query query = new VectorQuery(storage.field(), null, asked);
            TopDocs rescored = QueryRescorer.rescore(searcher, window, query, 1, DOCUMENTS);
            assertEquals(window.scoreDocs.length, rescored.scoreDocs.length);
            Map<Integer, Float> found = scores(index, rescored);
            List<Integer> unmatched = new ArrayList<>();
            for (ScoreDoc hit : rescored.scoreDocs) {
                int number = index.number(hit.doc);
                assertEquals(1 + expected.getOrDefault(number, 0.0), found.get(number), CLOSE);
                if (!expected.containsKey(number)) {
                    unmatched.add(number);
                }
            }
            assertEquals(unmatched.stream().sorted().toList(), unmatched);
        }
    }

    @ParameterizedTest
    @EnumSource
    void explanationsSayTheScoreOrWhyThereIsNone(Storage storage) throws IOException {
        Map<Integer, Double> expected = new HashMap<>();
        try (MemoryIndex index = filled(storage, expected)) {
            IndexSearcher searcher = index.searcher();
            Query query = new BoostQuery(new VectorQuery(storage.field(), null, asked), 3);
            for (ScoreDoc hit : searcher.search(MatchAllDocsQuery.INSTANCE, DOCUMENTS).scoreDocs) {
                Explanation explanation = searcher.explain(query, hit.doc);
                Double score = expected.get(index.number(hit.doc));
                assertEquals(score != null, explanation.isMatch());
                if (score == null) {
                    assertTrue(explanation.getDescription().contains(Storage.FIELD));
                } else {
                    assertEquals(3 * score, explanation.getValue().doubleValue(), 3 * CLOSE);
                    assertTrue(explanation.toString().contains("cosine"), explanation::toString);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void oppositeVectorsScoreNothingAndEqualOnesTwoWhateverTheirLength(Storage storage)
            throws IOException {
        float[] one = {3, 4, 0};
        try (MemoryIndex index = new MemoryIndex(storage)) {
            index.add(0, new float[] {-6, -8, 0}, null).add(1, new float[] {6, 8, 0}, null);
            index.add(2, new float[] {0, 0, 5}, null);
            TopDocs found = index.searcher().search(new VectorQuery(storage.field(), null, one), 9);
            assertEquals(Map.of(0, 0f, 1, 2f, 2, 1f), rounded(scores(index, found)));
        }
    }

    @Test
    void noScoreIsNegative() throws IOException {
        try (MemoryIndex index = new MemoryIndex(Storage.COSINE)) {
            for (int number = 0; number < 200; number++) {
                float[] opposite = asked.clone();
                float factor = -random.nextFloat() - 0.01f;
                for (int at = 0; at < opposite.length; at++) {
                    opposite[at] *= factor;
                }
                index.add(number, opposite, null);
            }
            Query query = new VectorQuery(Storage.COSINE.field(), null, asked);
            TopDocs found = index.searcher().search(query, 200);
            assertEquals(200, found.scoreDocs.length);
            for (ScoreDoc hit : found.scoreDocs) {
                assertTrue(hit.score >= 0 && hit.score < CLOSE, () -> "" + hit.score);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"COSINE", "FLOAT_DOC_VALUES", "FLOAT_DOC_VALUES_AND_LENGTH"})
    void vectorsWhoseSquaresAreOutOfRangeAreStillCompared(Storage storage) throws IOException {
        float[] one = {3, 4, 0};
        try (MemoryIndex index = new MemoryIndex(storage)) {
            index.add(0, new float[] {3e30f, 4e30f, 0}, null);
            index.add(1, new float[] {3e-30f, 4e-30f, 0}, null);
            TopDocs found = index.searcher().search(new VectorQuery(storage.field(), null, one), 9);
            assertEquals(Map.of(0, 2f, 1, 2f), rounded(scores(index, found)));
        }
    }

    @Test
    void aVectorThatIsNotFiniteIsNotMatched() throws IOException {
        Storage storage = Storage.FLOAT_DOC_VALUES; // Lucene's vector fields refuse these
        try (MemoryIndex index = new MemoryIndex(storage)) {
            index.add(0, new float[] {Float.NaN, 1, 1}, null);
            index.add(1, new float[] {Float.POSITIVE_INFINITY, 0, 0}, null);
            index.add(2, new float[] {1, 1, 1}, null);
            float[] one = {1, 1, 1};
            TopDocs found = index.searcher().search(new VectorQuery(storage.field(), null, one), 9);
            assertEquals(Map.of(2, 2f), rounded(scores(index, found)));
        }
    }

    @ParameterizedTest
    @EnumSource
    void anotherDimensionIsRefusedByBothNumbers(Storage storage) throws IOException {
        try (MemoryIndex index = new MemoryIndex(storage)) {
            IndexSearcher searcher = index.add(0, new float[] {1, 2, 3, 4}, null).searcher();
            Query query = new VectorQuery(storage.field(), null, new float[] {1, 2});
            String message =
                    assertThrows(IllegalArgumentException.class, () -> searcher.search(query, 1))
                            .getMessage();
            assertTrue(message.contains(" 2 ") && message.contains(" 4;"), message);
        }
    }

    @Test
    void anIndexWithoutTheFieldMatchesNothing() throws IOException {
        try (MemoryIndex index = new MemoryIndex(Storage.COSINE)) {
            IndexSearcher searcher = index.add(0, null, null).searcher();
            Query query = new VectorQuery(Storage.COSINE.field(), null, asked);
            assertEquals(0, searcher.count(query));
            assertFalse(searcher.explain(query, 0).isMatch());
        }
    }

    @Test
    void noSegmentIsCached() throws IOException {
        try (MemoryIndex index = new MemoryIndex(Storage.COSINE)) {
            IndexSearcher searcher = index.add(0, asked, null).searcher();
            Query query = new VectorQuery(Storage.COSINE.field(), null, asked);
            LeafReaderContext leaf = searcher.getIndexReader().leaves().getFirst();
            assertFalse(searcher.createWeight(query, ScoreMode.COMPLETE, 1).isCacheable(leaf));
        }
    }

    @Test
    void queriesAreEqualByWhatTheyAsk() {
        VectorField field = new VectorField("a", null);
        HashField hashes = new HashField("h", "f");
        VectorQuery query = new VectorQuery(field, hashes, new float[] {1, 2});
        VectorQuery same = new VectorQuery(new VectorField("a", null), hashes, new float[] {1, 2});
        assertEquals(query, same);
        assertEquals(query.hashCode(), same.hashCode());
        assertNotEquals(query, new VectorQuery(field, null, new float[] {1, 2}));
        assertNotEquals(query, new VectorQuery(field, hashes, new float[] {1, 3}));
        assertNotEquals(query, new VectorQuery(new VectorField("b", null), hashes, new float[] {1, 2}));
    }

    /** Segments of 30 documents, of which some have no vector, a zero one, or are deleted. */
    private MemoryIndex filled(Storage storage, Map<Integer, Double> expected) throws IOException {
        MemoryIndex index = new MemoryIndex(storage);
        for (int number = 0; number < DOCUMENTS; number++) {
            float[] vector = number % 3 == 0 ? null : vector();
            boolean zero = storage.zeros() && number % 20 == 7;
            index.add(number, zero ? new float[DIMENSION] : vector, null);
            if (vector != null && !zero) {
                expected.put(number, 1 + cosine(asked, vector));
            }
            if (number % 30 == 29) {
                index.endSegment();
            }
        }
        for (int number = 5; number < DOCUMENTS; number += 11) {
            index.delete(number);
            expected.remove(number);
        }
        return index;
    }

    /** Whole numbers, so that every storage keeps them exactly. */
    private float[] vector() {
        float[] vector = new float[DIMENSION];
        for (int at = 0; at < vector.length; at++) {
            vector[at] = random.nextInt(-127, 128);
        }
        return vector;
    }

    private static double cosine(float[] left, float[] right) {
        double dot = 0;
        double ofLeft = 0;
        double ofRight = 0;
        for (int at = 0; at < left.length; at++) {
            dot += (double) left[at] * right[at];
            ofLeft += (double) left[at] * left[at];
            ofRight += (double) right[at] * right[at];
        }
        return dot / Math.sqrt(ofLeft * ofRight);
    }

    private static Map<Integer, Float> scores(MemoryIndex index, TopDocs found) throws IOException {
        Map<Integer, Float> scores = new HashMap<>();
        for (ScoreDoc hit : found.scoreDocs) {
            scores.put(index.number(hit.doc), hit.score);
        }
        return scores;
    }

    private static Map<Integer, Float> rounded(Map<Integer, Float> scores) {
        Map<Integer, Float> answer = new HashMap<>();
        scores.forEach((number, score) -> answer.put(number, Math.round(score * 1e5f) / 1e5f));
        return answer;
    }

    private static void assertScores(Map<Integer, Double> expected, Map<Integer, Float> found) {
        assertEquals(expected.keySet(), found.keySet());
        expected.forEach((number, score) -> assertEquals(score, found.get(number), CLOSE));
    }
}
