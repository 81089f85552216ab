package org.rankside.opensearch.vector;

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

/** The forms in which k-NN leaves a vector in an index. */
enum Storage {
    COSINE,
    EUCLIDEAN,
    QUANTISED,
    BYTE,
    FLOAT_DOC_VALUES,
    BYTE_DOC_VALUES;

    static final String FIELD = "vector";

    boolean bytes() {
        return this == BYTE || this == BYTE_DOC_VALUES;
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
        return new VectorField(FIELD, bytes());
    }

    Field value(float[] vector) {
        return switch (this) {
            case COSINE, QUANTISED ->
                    new KnnFloatVectorField(FIELD, vector, VectorSimilarityFunction.COSINE);
            case EUCLIDEAN -> new KnnFloatVectorField(FIELD, vector, VectorSimilarityFunction.EUCLIDEAN);
            case BYTE -> new KnnByteVectorField(FIELD, narrowed(vector), VectorSimilarityFunction.COSINE);
            case FLOAT_DOC_VALUES -> new BinaryDocValuesField(FIELD, bigEndian(vector));
            case BYTE_DOC_VALUES -> new BinaryDocValuesField(FIELD, new BytesRef(narrowed(vector)));
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

    private static BytesRef bigEndian(float[] vector) {
        ByteBuffer bytes = ByteBuffer.allocate(vector.length * Float.BYTES);
        bytes.asFloatBuffer().put(vector);
        return new BytesRef(bytes.array());
    }

    private static byte[] narrowed(float[] vector) {
        byte[] bytes = new byte[vector.length];
        for (int at = 0; at < bytes.length; at++) {
            bytes[at] = (byte) vector[at];
        }
        return bytes;
    }
}
