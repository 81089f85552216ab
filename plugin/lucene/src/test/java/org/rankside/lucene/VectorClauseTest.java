package org.rankside.lucene;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.rankside.search.Comparison;

class VectorClauseTest {
    private static final float[] VECTOR = {0.5f, -2};

    @Test
    void whatIsSoundStaysAsItIs() {
        for (Comparison sound :
                List.of(new Comparison("v", VECTOR), new Comparison("v", VECTOR, "h", "f"))) {
            assertEquals(sound, VectorClause.checked(sound));
        }
        Comparison bare = new Comparison("v", VECTOR);
        assertEquals(
                new Comparison("v", VECTOR, "h", "f"), VectorClause.among(bare, "h", "f"));
    }

    @Test
    void theVectorIsTheClausesOwn() {
        float[] mine = VECTOR.clone();
        Comparison checked = VectorClause.checked(new Comparison("v", mine));
        mine[0] = 9;
        assertArrayEquals(VECTOR, checked.vector());
    }

    @Test
    void aVectorWithoutADirectionIsRefused() {
        for (float[] vector :
                new float[][] {null, {}, {0, 0}, {Float.NaN}, {1, Float.NEGATIVE_INFINITY}}) {
            refusal(() -> VectorClause.checked(new Comparison("v", vector)));
        }
        refusal(() -> VectorClause.checked(new Comparison(null, VECTOR)));
    }

    @ParameterizedTest
    @CsvSource(
            value = {"h,-", "-,f", "'',f", "h,''", "'',''", "-,''", "'',-"},
            nullValues = "-")
    void aHashFieldWithoutAFingerprintIsRefused(String hashField, String fingerprint) {
        Comparison bare = new Comparison("v", VECTOR);
        String message = refusal(() -> VectorClause.among(bare, hashField, fingerprint));
        assertTrue(message.contains("[hash_field] and [fingerprint] both"), message);
        Comparison both = new Comparison("v", VECTOR, hashField, fingerprint);
        assertEquals(message, refusal(() -> VectorClause.checked(both)));
    }

    @Test
    void noHashesAreNotAskedForByNames() {
        refusal(() -> VectorClause.among(new Comparison("v", VECTOR), null, null));
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
