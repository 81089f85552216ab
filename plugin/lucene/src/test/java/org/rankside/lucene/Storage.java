package org.rankside.lucene;

import static java.nio.ByteOrder.BIG_ENDIAN;
import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.nio.ByteBuffer;
import org.apache.lucene.codecs.Codec;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.apache.lucene.codecs.lucene104.Lucene104Codec;
import org.apache.lucene.codecs.lucene104.Lucene104HnswScalarQuantizedVectorsFormat;
import org.apache.lucene.codecs.lucene99.Lucene99HnswVectorsFormat;
import org.apache.lucene.document.BinaryDocValuesField;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.KnnByteVectorField;
import org.apache.lucene.document.KnnFloatVectorField;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.util.BytesRef;
import org.rankside.lucene.Packing.Element;

/** The forms in which the engines leave a vector in an index. */
enum Storage {
    COSINE(null),
    EUCLIDEAN(null),
    /** Unit vectors, as Elasticsearch writes those of a cosine field. */
    NORMALISED(null),
    QUANTISED(null),
    BYTE(null),
    FLOAT_DOC_VALUES(new Packing(Element.FLOAT32, BIG_ENDIAN, 0)),
    BYTE_DOC_VALUES(new Packing(Element.BYTE, BIG_ENDIAN, 0)),
    FLOAT_DOC_VALUES_AND_LENGTH(new Packing(Element.FLOAT32, LITTLE_ENDIAN, Float.BYTES)),
    OLDER_FLOAT_DOC_VALUES_AND_LENGTH(new Packing(Element.FLOAT32, BIG_ENDIAN, Float.BYTES)),
    BFLOAT16_DOC_VALUES_AND_LENGTH(new Packing(Element.BFLOAT16, LITTLE_ENDIAN, Float.BYTES)),
    BYTE_DOC_VALUES_AND_LENGTH(new Packing(Element.BYTE, LITTLE_ENDIAN, Float.BYTES));

    static final String FIELD = "vector";

    private final Packing packing;

    Storage(Packing packing) {
        this.packing = packing;
    }

    /**
     * Whether it takes a vector of zeros: a quantiser of cosine fields asserts that there is none, and
     * from 10.5 on Lucene refuses it for any cosine field, though older indexes may hold it.
     */
    boolean zeros() {
        if (this == QUANTISED) {
            return false;
        }
        try {
            value(new float[1]);
            return true;
        } catch (IllegalArgumentException refused) {
            return false;
        }
    }

    VectorField field() {
        return new VectorField(FIELD, packing);
    }

    Field value(float[] vector) {
        return switch (this) {
            case COSINE, QUANTISED ->
                    new KnnFloatVectorField(FIELD, vector, VectorSimilarityFunction.COSINE);
            case EUCLIDEAN -> new KnnFloatVectorField(FIELD, vector, VectorSimilarityFunction.EUCLIDEAN);
            case NORMALISED ->
                    new KnnFloatVectorField(FIELD, unit(vector), VectorSimilarityFunction.DOT_PRODUCT);
            case BYTE -> new KnnByteVectorField(FIELD, narrowed(vector), VectorSimilarityFunction.COSINE);
            default -> new BinaryDocValuesField(FIELD, packed(vector));
        };
    }

    Codec codec() {
        return new Lucene104Codec() {
            @Override
            public KnnVectorsFormat getKnnVectorsFormatForField(String field) {
                return Storage.this == QUANTISED
                        ? new Lucene104HnswScalarQuantizedVectorsFormat()
                        : new Lucene99HnswVectorsFormat();
            }
        };
    }

    private BytesRef packed(float[] vector) {
        ByteBuffer bytes = ByteBuffer.allocate((vector.length + 1) * Float.BYTES).order(packing.order());
        for (float value : vector) {
            switch (packing.element()) {
                case FLOAT32 -> bytes.putFloat(value);
                case BFLOAT16 -> bytes.putShort((short) (Float.floatToIntBits(value) >> Short.SIZE));
                case BYTE -> bytes.put((byte) value);
            }
        }
        return new BytesRef(bytes.array(), 0, bytes.position() + packing.rest());
    }

    private static float[] unit(float[] vector) {
        double squares = 0;
        for (float value : vector) {
            squares += (double) value * value;
        }
        float[] unit = new float[vector.length];
        for (int at = 0; at < unit.length; at++) {
            unit[at] = (float) (vector[at] / Math.sqrt(squares));
        }
        return unit;
    }

    private static byte[] narrowed(float[] vector) {
        byte[] bytes = new byte[vector.length];
        for (int at = 0; at < bytes.length; at++) {
            bytes[at] = (byte) vector[at];
        }
        return bytes;
    }
}
