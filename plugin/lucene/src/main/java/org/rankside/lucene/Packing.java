package org.rankside.lucene;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.ShortBuffer;
import java.util.Locale;
import org.apache.lucene.util.BytesRef;

/**
 * How a field whose vectors are in no vector values has them in binary doc values.
 *
 * @param element of which the vector is made
 * @param order of the bytes of one element
 * @param rest bytes behind the vector that are no part of it
 */
public record Packing(Element element, ByteOrder order, int rest) {
    /** What a vector is made of. */
    public enum Element {
        FLOAT32(Float.BYTES),
        /** The upper half of a float32. */
        BFLOAT16(Short.BYTES),
        BYTE(Byte.BYTES);

        private final int bytes;

        Element(int bytes) {
            this.bytes = bytes;
        }
    }

    /** The dimensions of the vector in {@code value}. */
    int dimension(BytesRef value) {
        return (value.length - rest) / element.bytes;
    }

    /** Writes the vector in {@code value} into {@code vector}, which has its length. */
    void read(BytesRef value, float[] vector) {
        ByteBuffer bytes = ByteBuffer.wrap(value.bytes, value.offset, value.length).order(order);
        switch (element) {
            case FLOAT32 -> bytes.asFloatBuffer().get(vector);
            case BFLOAT16 -> widen(bytes.asShortBuffer(), vector);
            case BYTE -> widen(value.bytes, value.offset, vector);
        }
    }

    /** What is read, for an explanation. */
    String form() {
        return element.name().toLowerCase(Locale.ROOT) + " doc values";
    }

    static void widen(byte[] bytes, int offset, float[] vector) {
        for (int at = 0; at < vector.length; at++) {
            vector[at] = bytes[offset + at];
        }
    }

    private static void widen(ShortBuffer halves, float[] vector) {
        for (int at = 0; at < vector.length; at++) {
            vector[at] = Float.intBitsToFloat(halves.get(at) << Short.SIZE);
        }
    }
}
