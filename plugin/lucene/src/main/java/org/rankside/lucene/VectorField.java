package org.rankside.lucene;

/**
 * A field of document vectors.
 *
 * @param name as Lucene has it
 * @param packing of those segments that have the field's vectors in doc values
 */
public record VectorField(String name, Packing packing) {
    /**
     * Checks the dimension of the field's vectors against that of the query's.
     *
     * @throws IllegalArgumentException they differ
     */
    public void check(int stored, int asked) {
        if (stored != asked) {
            throw new IllegalArgumentException(
                    "the vector has " + asked + " dimensions and those of field " + name + " have "
                            + stored + "; ask with a vector of the model that embedded the documents");
        }
    }

    /** Why a field of {@code type} is refused where {@code wanted} is asked for. */
    public static IllegalArgumentException ofAnotherType(String name, String type, String wanted) {
        return new IllegalArgumentException(
                "field " + name + " is " + type + ", not " + wanted
                        + "; name the field of the document vectors");
    }
}
