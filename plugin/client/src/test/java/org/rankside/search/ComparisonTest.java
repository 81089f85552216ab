package org.rankside.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class ComparisonTest {
    private static final float[] VECTOR = {0.5f, -2};

    @Test
    void twoAreEqualByEveryPart() {
        Comparison one = new Comparison("v", VECTOR, "h", "f");
        Comparison same = new Comparison("v", VECTOR.clone(), "h", "f");
        assertEquals(same, one);
        assertEquals(same.hashCode(), one.hashCode());
        for (Comparison other :
                List.of(
                        new Comparison("v", VECTOR),
                        new Comparison("w", VECTOR, "h", "f"),
                        new Comparison("v", new float[] {0.5f, 2}, "h", "f"),
                        new Comparison("v", VECTOR, "i", "f"),
                        new Comparison("v", VECTOR, "h", "g"))) {
            assertNotEquals(one, other);
        }
    }
}
