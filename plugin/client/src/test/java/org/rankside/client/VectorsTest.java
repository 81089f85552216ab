package org.rankside.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class VectorsTest {
    private static final float[] VECTOR = {1f, -0.5f, 3.25e-3f};

    @Test
    void aVectorIsLittleEndianFloat32() throws IOException {
        assertEquals("AACAPwAAAL/9VFW7".length(), Vectors.write(VECTOR).length());
        assertEquals("AACAPw==", Vectors.write(new float[] {1f}));
        assertArrayEquals(VECTOR, Vectors.read(Vectors.write(VECTOR)));
        assertArrayEquals(VECTOR, Vectors.read(List.of(1, -0.5, 3.25e-3)));
    }

    static Stream<Object> unusable() {
        return Stream.of(
                "AAA",
                "%%%",
                "",
                List.of(),
                List.of(0, 0),
                List.of(1, "x"),
                Arrays.asList(1.0, null),
                List.of(Float.NaN),
                List.of(Double.MAX_VALUE),
                Vectors.write(new float[] {1f, Float.NaN}),
                Vectors.write(new float[] {Float.POSITIVE_INFINITY}),
                Map.of(),
                3);
    }

    @ParameterizedTest
    @MethodSource("unusable")
    void whatIsNoVectorIsRefused(Object value) {
        assertThrows(IOException.class, () -> Vectors.read(value));
    }

    @Test
    void noVectorIsRefused() {
        assertThrows(IOException.class, () -> Vectors.read(null));
    }
}
