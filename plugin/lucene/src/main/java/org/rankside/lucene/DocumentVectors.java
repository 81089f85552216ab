package org.rankside.lucene;

import java.io.IOException;
import org.apache.lucene.index.BinaryDocValues;
import org.apache.lucene.index.ByteVectorValues;
import org.apache.lucene.index.FieldInfo;
import org.apache.lucene.index.FloatVectorValues;
import org.apache.lucene.index.KnnVectorValues;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.util.BytesRef;

/**
 * The document vectors of one segment, one after another.
 *
 * <p>A quantised field's are those that were indexed, which its format keeps beside the shortened
 * ones of the graph.
 *
 * @param documents those that have a vector
 * @param current the vector of the document that {@code documents} is at; the array is reused
 * @param form what is read, for an explanation
 */
record DocumentVectors(DocIdSetIterator documents, Current current, String form) {
    /** Reads a vector. */
    @FunctionalInterface
    interface Current {
        float[] read() throws IOException;
    }

    /**
     * Those of {@code field}, or null where the segment has none.
     *
     * @throws IllegalArgumentException they have another dimension
     */
    static DocumentVectors of(LeafReader segment, VectorField field, int dimension)
            throws IOException {
        FieldInfo info = segment.getFieldInfos().fieldInfo(field.name());
        if (info == null) {
            return null;
        }
        if (!info.hasVectorValues()) {
            BinaryDocValues values = segment.getBinaryDocValues(field.name());
            return values == null ? null : ofDocValues(values, field, dimension);
        }
        field.check(info.getVectorDimension(), dimension);
        return switch (info.getVectorEncoding()) {
            case FLOAT32 -> ofFloats(segment.getFloatVectorValues(field.name()));
            case BYTE -> ofBytes(segment.getByteVectorValues(field.name()), dimension);
        };
    }

    private static DocumentVectors ofFloats(FloatVectorValues values) {
        KnnVectorValues.DocIndexIterator documents = values.iterator();
        return new DocumentVectors(
                documents, () -> values.vectorValue(documents.index()), "float32");
    }

    private static DocumentVectors ofBytes(ByteVectorValues values, int dimension) {
        KnnVectorValues.DocIndexIterator documents = values.iterator();
        float[] vector = new float[dimension];
        Current widened =
                () -> {
                    Packing.widen(values.vectorValue(documents.index()), 0, vector);
                    return vector;
                };
        return new DocumentVectors(documents, widened, "byte");
    }

    private static DocumentVectors ofDocValues(
            BinaryDocValues values, VectorField field, int dimension) {
        Packing packing = field.packing();
        float[] vector = new float[dimension];
        Current unpacked =
                () -> {
                    BytesRef value = values.binaryValue();
                    field.check(packing.dimension(value), dimension);
                    packing.read(value, vector);
                    return vector;
                };
        return new DocumentVectors(values, unpacked, packing.form());
    }
}
