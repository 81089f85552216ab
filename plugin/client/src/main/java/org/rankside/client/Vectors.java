package org.rankside.client;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Base64;
import java.util.List;

/** Vectors as they travel: base64 of little-endian float32, or a JSON array. */
public final class Vectors {
    private Vectors() {}

    /** {@code vector} in base64. */
    public static String write(float[] vector) {
        ByteBuffer bytes = ByteBuffer.allocate(vector.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(vector);
        return Base64.getEncoder().encodeToString(bytes.array());
    }

    /**
     * The vector in {@code value}.
     *
     * @throws IOException it is no vector, or one with a NaN, an infinity or no direction
     */
    public static float[] read(Object value) throws IOException {
        float[] vector =
                switch (value) {
                    case String base64 -> fromBase64(base64);
                    case List<?> numbers -> fromList(numbers);
                    case null, default -> throw new IOException("a vector is missing");
                };
        double squares = 0;
        for (float one : vector) {
            squares += (double) one * one;
        }
        if (!Double.isFinite(squares) || squares == 0) {
            throw new IOException("a vector is NaN, infinite or zero");
        }
        return vector;
    }

    private static float[] fromBase64(String base64) throws IOException {
        byte[] bytes;
        try {
            bytes = Base64.getDecoder().decode(base64);
        } catch (IllegalArgumentException error) {
            throw new IOException("a vector is not base64", error);
        }
        if (bytes.length % Float.BYTES != 0) {
            throw new IOException("a vector has " + bytes.length + " bytes, which is no float32");
        }
        float[] vector = new float[bytes.length / Float.BYTES];
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(vector);
        return vector;
    }

    private static float[] fromList(List<?> numbers) throws IOException {
        float[] vector = new float[numbers.size()];
        for (int at = 0; at < vector.length; at++) {
            if (!(numbers.get(at) instanceof Number number)) {
                throw new IOException("a vector holds what is no number");
            }
            vector[at] = number.floatValue();
        }
        return vector;
    }
}
