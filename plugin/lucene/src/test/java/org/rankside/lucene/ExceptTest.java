package org.rankside.lucene;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.Random;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.util.BitSetIterator;
import org.apache.lucene.util.FixedBitSet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ExceptTest {
    private static final int DOCUMENTS = 400;
    private final Random random = new Random(11);

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 30, 200, 390, 400})
    void whatIsLeftIsWhatIsInOneAndNotInTheOther(int excludedCount) throws IOException {
        FixedBitSet included = some(250);
        FixedBitSet excluded = some(excludedCount);
        Except except = new Except(iterator(included), iterator(excluded));
        assertEquals(-1, except.docID());
        for (int target = 0; target < DOCUMENTS; ) {
            int expected = left(included, excluded, target);
            boolean step = target == except.docID() + 1 && random.nextBoolean();
            assertEquals(expected, step ? except.nextDoc() : except.advance(target));
            assertEquals(expected, except.docID());
            if (expected == DocIdSetIterator.NO_MORE_DOCS) {
                return;
            }
            target = expected + 1 + random.nextInt(3);
        }
    }

    private FixedBitSet some(int count) {
        FixedBitSet bits = new FixedBitSet(DOCUMENTS);
        while (bits.cardinality() < count) {
            bits.set(random.nextInt(DOCUMENTS));
        }
        return bits;
    }

    private static DocIdSetIterator iterator(FixedBitSet bits) {
        return new BitSetIterator(bits, bits.cardinality());
    }

    private static int left(FixedBitSet included, FixedBitSet excluded, int target) {
        for (int at = target; at < DOCUMENTS; at++) {
            if (included.get(at) && !excluded.get(at)) {
                return at;
            }
        }
        return DocIdSetIterator.NO_MORE_DOCS;
    }
}
