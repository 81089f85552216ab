package org.rankside.ingest;

import java.util.List;
import java.util.Objects;
import org.rankside.client.IndexMeta;

/**
 * A vector field of an index: what its vectors are made of, and by which model.
 *
 * @param dimensions 0: not known
 * @param fingerprint null: that of {@code model}, once the sidecar was seen to serve it
 * @param model what the index is being re-embedded with; null where the fingerprint is known
 */
record Target(
        String index,
        String vectorField,
        String hashField,
        List<String> textFields,
        int dimensions,
        String fingerprint,
        IndexMeta model) {

    /**
     * The field that {@code names} and the mapping together mean.
     *
     * @param fingerprint what the pipeline says; null: as the index says
     * @throws IllegalArgumentException the two disagree, or leave the model unsaid
     */
    static Target of(Mapping mapping, FieldNames names, String fingerprint) {
        IndexMeta meta = mapping.meta();
        if (meta == null && fingerprint == null) {
            throw new IllegalArgumentException(
                    "index [" + mapping.index() + "] has no _meta.rankside in its mapping, so nothing says"
                            + " which model its vectors are of; write it with `rankside backfill`, or give"
                            + " the processor the fingerprint that the sidecar's /v1/models shows");
        }
        boolean said = meta != null;
        String vectorField =
                either(names.vectorField(), said ? meta.vectorField() : IndexMeta.VECTOR_FIELD);
        int dimensions = mapping.dimensions(vectorField);
        Target target =
                new Target(
                        mapping.index(),
                        vectorField,
                        either(names.hashField(), said ? meta.hashField() : IndexMeta.HASH_FIELD),
                        either(names.textFields(), said ? meta.textFields() : IndexMeta.TEXT_FIELDS),
                        dimensions,
                        fingerprint,
                        null);
        return target.ofItsModel(meta);
    }

    /** This, with vectors of the model whose fingerprint is {@code fingerprint}. */
    Target of(String fingerprint) {
        return new Target(index, vectorField, hashField, textFields, dimensions, fingerprint, null);
    }

    private Target ofItsModel(IndexMeta meta) {
        if (fingerprint == null) {
            return meta.fingerprint().isEmpty()
                    ? new Target(index, vectorField, hashField, textFields, dimensions, null, meta)
                    : of(meta.fingerprint());
        }
        boolean ofMeta = meta != null && vectorField.equals(meta.vectorField());
        if (ofMeta && !meta.fingerprint().isEmpty() && !fingerprint.equals(meta.fingerprint())) {
            throw new IllegalArgumentException(
                    "index [" + index + "] has vectors of the model with fingerprint "
                            + meta.fingerprint() + " and the processor is to make those of "
                            + fingerprint + "; leave its fingerprint out, or use another index");
        }
        return this;
    }

    private static <T> T either(T given, T otherwise) {
        return Objects.requireNonNullElse(given, otherwise);
    }
}
