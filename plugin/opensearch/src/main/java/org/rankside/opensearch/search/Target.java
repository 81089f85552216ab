package org.rankside.opensearch.search;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What a search works on; {@code connectors/target.py} has the same rules.
 *
 * @param dimensions of the stored vectors; 0: not known
 * @param fingerprint null: the vectors are taken for the sidecar's model's
 * @param hashField null: nothing beside a vector says what it was made of
 * @param lacking indices without the vector field
 */
record Target(
        List<String> textFields,
        String vectorField,
        int dimensions,
        String fingerprint,
        String hashField,
        List<String> lacking) {
    private static final String VECTOR_FIELD = "rankside_vector";

    /**
     * Of the indices in {@code facts}, by name.
     *
     * @throws PassThrough they have no usable vectors, or nothing says where their text is
     */
    static Target of(Map<String, IndexFacts> facts, Parameters parameters) {
        IndexFacts.Meta meta = meta(facts.values());
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
            field = meta == null ? VECTOR_FIELD : meta.vectorField();
        }
        IndexFacts.Meta own = meta != null && meta.vectorField().equals(field) ? meta : null;
        String fingerprint = parameters.fingerprint();
        if (fingerprint == null && own != null) {
            fingerprint = own.fingerprint();
        }
        Target target =
                new Target(
                        textFields,
                        field,
                        dimensions(facts, field),
                        fingerprint,
                        hashField(facts.values(), own),
                        lacking(facts, field));
        if (parameters.strategy() != Strategy.INSERTRANK) {
            target.requireVectors(facts);
        }
        return target;
    }

    private static IndexFacts.Meta meta(Collection<IndexFacts> facts) {
        Set<IndexFacts.Meta> metas =
                facts.stream()
                        .map(IndexFacts::meta)
                        .filter(Objects::nonNull)
                        .collect(Collectors.toCollection(LinkedHashSet::new));
        if (metas.size() > 1) {
            throw mixed();
        }
        return metas.isEmpty() ? null : metas.iterator().next();
    }

    private static int dimensions(Map<String, IndexFacts> facts, String field) {
        Set<Integer> found = new LinkedHashSet<>();
        facts.forEach(
                (index, fact) -> {
                    Map<String, Object> mapping = fact.field(field);
                    if (mapping != null) {
                        found.add(dimensions(index, field, mapping));
                    }
                });
        if (found.size() > 1) {
            throw mixed();
        }
        return found.isEmpty() ? 0 : found.iterator().next();
    }

    private static int dimensions(String index, String field, Map<String, Object> mapping) {
        boolean binary = "binary".equals(mapping.get("data_type"));
        if (!"knn_vector".equals(mapping.get("type")) || binary) {
            throw new PassThrough(
                    "no_vectors",
                    "the field " + field + " of " + index + " is "
                            + (binary ? "a knn_vector of bits" : String.valueOf(mapping.get("type")))
                            + ", which has no cosine; name a knn_vector of floats or bytes");
        }
        // A model_id takes the place of the dimension; the query sees it on the shard.
        return mapping.get("dimension") instanceof Number number ? number.intValue() : 0;
    }

    /** The hash field where its doc values can be read, as they can where Rankside mapped it. */
    private static String hashField(Collection<IndexFacts> facts, IndexFacts.Meta meta) {
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
        new LinkedHashMap<>(facts)
                .forEach(
                        (index, fact) -> {
                            if (fact.field(field) == null) {
                                names.add(index);
                            }
                        });
        return names;
    }

    private void requireVectors(Map<String, IndexFacts> facts) {
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
