package org.rankside.ingest;

import java.util.AbstractList;
import java.util.RandomAccess;

/**
 * A vector as the list that a document's field is.
 *
 * <p>It boxes a number only while that is read: a bulk of thousands of documents holds all their
 * vectors at once.
 */
public final class FloatList extends AbstractList<Float> implements RandomAccess {
    private final float[] vector;

    public FloatList(float[] vector) {
        this.vector = vector;
    }

    @Override
    public Float get(int index) {
        return vector[index];
    }

    @Override
    public Float set(int index, Float value) {
        float before = vector[index];
        vector[index] = value;
        return before;
    }

    @Override
    public int size() {
        return vector.length;
    }
}
