package org.rankside.lucene;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VectorClauseTest {
    private static final float[] VECTOR = {0.5f, -2};

    @Test
    void clausesAreEqualByEveryPart() {
        VectorClause clause = new VectorClause("v", VECTOR).among("h", "f");
        VectorClause same = new VectorClause("v", VECTOR.clone(), "h", "f");
        assertEquals(same, clause);
        assertEquals(same.hashCode(), clause.hashCode());
        assertNotEquals(clause, new VectorClause("v", VECTOR));
        assertNotEquals(clause, new VectorClause("w", VECTOR, "h", "f"));
        assertNotEquals(clause, new VectorClause("v", new float[] {0.5f, 2}, "h", "f"));
        assertNotEquals(clause, clause.among("i", "f"));
        assertNotEquals(clause, clause.among("h", "g"));
    }

    @Test
    void theVectorIsTheClausesOwn() {
        float[] mine = VECTOR.clone();
        VectorClause clause = new VectorClause("v", mine);
        mine[0] = 9;
        assertArrayEquals(VECTOR, clause.vector());
    }

    @Test
    void aVectorWithoutADirectionIsRefused() {
        for (float[] vector : new float[][] {{}, {0, 0}, {Float.NaN}, {1, Float.NEGATIVE_INFINITY}}) {
            assertThrows(IllegalArgumentException.class, () -> new VectorClause("v", vector));
        }
        assertThrows(IllegalArgumentException.class, () -> new VectorClause("v", null));
        assertThrows(IllegalArgumentException.class, () -> new VectorClause(null, VECTOR));
    }

    @ParameterizedTest
    @CsvSource(
            value = {"h,-", "-,f", "'',f", "h,''", "'',''", "-,''", "'',-"},
            nullValues = "-")
    void aHashFieldWithoutAFingerprintIsRefused(String hashField, String fingerprint) {
        VectorClause clause = new VectorClause("v", VECTOR);
        String message = refusal(() -> clause.among(hashField, fingerprint));
        assertTrue(message.contains("[hash_field] and [fingerprint] both"), message);
        assertEquals(
                message, refusal(() -> new VectorClause("v", VECTOR, hashField, fingerprint)));
    }

    @Test
    void noHashesAreNotAskedForByNames() {
        assertThrows(
                IllegalArgumentException.class,
                () -> new VectorClause("v", VECTOR).among(null, null));
    }

    @Test
    void whatIsGivenIsReadOrRefusedWithTheRemedy() {
        assertArrayEquals(VECTOR, VectorClause.given(List.of(0.5, -2)));
        String message = refusal(() -> VectorClause.given("?"));
        assertTrue(message.contains("give base64 of little-endian float32"), message);
    }

    private static String refusal(Runnable asking) {
        return assertThrows(IllegalArgumentException.class, asking::run).getMessage();
    }
}
