package org.rankside.search;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.rankside.client.IndexMeta;
import org.rankside.client.VectorFields;

/**
 * What a search works on; {@code connectors/target.py} has the same rules.
 *
 * @param dimensions of the stored vectors; 0: not known
 * @param fingerprint null: the vectors are taken for the sidecar's model's
 * @param hashField null: nothing beside a vector says what it was made of
 * @param lacking indices without the vector field
 */
public record Target(
        List<String> textFields,
        String vectorField,
        int dimensions,
        String fingerprint,
        String hashField,
        List<String> lacking) {
    /**
     * Of the indices in {@code facts}, by name.
     *
     * @throws PassThrough they have no usable vectors, or nothing says where their text is
     */
    public static Target of(
            Map<String, IndexFacts> facts, Parameters parameters, VectorFields vectors) {
        IndexMeta meta = meta(facts.values());
        List<String> textFields = parameters.textFields();
        if (textFields.isEmpty() && meta != null) {
            textFields = meta.textFields();
        }
        if (textFields.isEmpty()) {
            throw new PassThrough(
                    "no_text_fields",
                    "nothing says where the text of " + names(facts) + " is; name its text_fields");
        }
        String field = parameters.vectorField();
        if (field == null) {
            field = meta == null ? IndexMeta.VECTOR_FIELD : meta.vectorField();
        }
        IndexMeta own = meta != null && meta.vectorField().equals(field) ? meta : null;
        String fingerprint = parameters.fingerprint();
        if (fingerprint == null && own != null) {
            fingerprint = own.fingerprint();
        }
        Target target =
                new Target(
                        textFields,
                        field,
                        dimensions(facts, field, vectors),
                        fingerprint,
                        hashField(facts.values(), own),
                        lacking(facts, field));
        if (parameters.strategy() != Strategy.INSERTRANK) {
            target.requireVectors(facts, vectors, own != null || parameters.vectorField() != null);
        }
        return target;
    }

    private static IndexMeta meta(Collection<IndexFacts> facts) {
        Set<IndexMeta> metas =
                facts.stream()
                        .map(IndexFacts::meta)
                        .filter(Objects::nonNull)
                        .collect(Collectors.toCollection(LinkedHashSet::new));
        if (metas.size() > 1) {
            throw mixed();
        }
        return metas.isEmpty() ? null : metas.iterator().next();
    }

    private static int dimensions(
            Map<String, IndexFacts> facts, String field, VectorFields vectors) {
        Set<Integer> found =
                facts.values().stream()
                        .map(one -> one.field(field))
                        .filter(Objects::nonNull)
                        .map(vectors::dimensions)
                        .collect(Collectors.toSet());
        if (found.size() > 1) {
            throw mixed();
        }
        return found.isEmpty() ? 0 : found.iterator().next();
    }

    /** The hash field where its doc values can be read, as they can where Rankside mapped it. */
    private static String hashField(Collection<IndexFacts> facts, IndexMeta meta) {
        if (meta == null) {
            return null;
        }
        List<Map<String, Object>> mappings =
                facts.stream().map(one -> one.field(meta.hashField())).filter(Objects::nonNull).toList();
        boolean readable =
                mappings.stream()
                        .allMatch(
                                one ->
                                        "keyword".equals(one.get("type"))
                                                && !Boolean.FALSE.equals(one.get("doc_values")));
        return mappings.isEmpty() || !readable ? null : meta.hashField();
    }

    private static List<String> lacking(Map<String, IndexFacts> facts, String field) {
        List<String> names = new ArrayList<>();
        facts.forEach(
                (index, fact) -> {
                    if (fact.field(field) == null) {
                        names.add(index);
                    }
                });
        return names;
    }

    /**
     * Vectors are required.
     *
     * @param named whether the index or the request says that the field is one of document vectors
     */
    private void requireVectors(
            Map<String, IndexFacts> facts, VectorFields vectors, boolean named) {
        if ("".equals(fingerprint)) {
            throw new PassThrough(
                    "reembedding",
                    names(facts) + " is being embedded by another model; wait for `rankside backfill`"
                            + " to end, or run it again");
        }
        if (lacking.size() == facts.size()) {
            throw new PassThrough(
                    "no_vectors",
                    names(facts) + " has no field " + vectorField + "; run `rankside backfill`, or name"
                            + " the vector_field");
        }
        if (!named) {
            throw new PassThrough(
                    "no_vectors",
                    "nothing says what is in the field " + vectorField + " of " + names(facts)
                            + "; run `rankside backfill`, or name it as vector_field");
        }
        facts.forEach((index, fact) -> requireCosine(index, fact.field(vectorField), vectors));
    }

    private void requireCosine(String index, Map<String, Object> mapping, VectorFields vectors) {
        if (mapping == null) {
            return;
        }
        boolean right = vectors.type().equals(mapping.get("type"));
        if (!right || vectors.ofBits(mapping)) {
            throw new PassThrough(
                    "no_vectors",
                    "the field " + vectorField + " of " + index + " is "
                            + (right
                                    ? "a " + vectors.type() + " of bits"
                                    : mapping.getOrDefault("type", "object"))
                            + ", which has no cosine; name a " + vectors.type()
                            + " of floats or bytes");
        }
    }

    private static PassThrough mixed() {
        return new PassThrough(
                "mixed_indices",
                "these indices hold vectors of different models or fields; search those of one model,"
                        + " or rebuild the others with `rankside backfill --rebuild`");
    }

    private static String names(Map<String, IndexFacts> facts) {
        return String.join(",", facts.keySet());
    }
}
