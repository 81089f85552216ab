package org.rankside.client;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * {@code _meta.rankside} of a mapping, as {@code connectors/meta.py} writes it.
 *
 * @param fingerprint of the model that made the vectors; empty while the index is being re-embedded,
 *     and holds those of two
 * @param model the name of that model, or of the one it is being re-embedded with
 * @param dimensions of the vectors
 */
public record IndexMeta(
        String fingerprint,
        String model,
        String revision,
        int dimensions,
        String vectorField,
        String hashField,
        List<String> textFields) {

    /** Where vectors are, unless it is said. */
    public static final String VECTOR_FIELD = "rankside_vector";

    /** Where their hashes are, unless it is said. */
    public static final String HASH_FIELD = "rankside_hash";

    /** What vectors are made of, unless it is said. */
    public static final List<String> TEXT_FIELDS = List.of("title", "text");

    /**
     * What a mapping, as an object with {@code _meta}, says; null where it says nothing.
     *
     * @throws IllegalArgumentException it is there but broken
     */
    public static IndexMeta of(Map<String, ?> mapping) {
        Object rankside = mapping.get("_meta") instanceof Map<?, ?> meta ? meta.get("rankside") : null;
        if (rankside == null) {
            return null;
        }
        try {
            return read(Fields.object("rankside", rankside));
        } catch (IOException error) {
            throw new IllegalArgumentException(
                    "the mapping's _meta.rankside cannot be read (" + error.getMessage()
                            + "); run `rankside apply` to write it again",
                    error);
        }
    }

    private static IndexMeta read(Fields meta) throws IOException {
        int dimensions = meta.count("dimensions");
        if (dimensions == 0) {
            throw new IOException("dimensions is 0");
        }
        return new IndexMeta(
                meta.text("fingerprint"),
                meta.text("model"),
                textOr(meta, "revision", ""),
                dimensions,
                textOr(meta, "vector_field", VECTOR_FIELD),
                textOr(meta, "hash_field", HASH_FIELD),
                textFields(meta));
    }

    private static String textOr(Fields meta, String name, String otherwise) throws IOException {
        String text = meta.textOrNull(name);
        return text == null ? otherwise : text;
    }

    private static List<String> textFields(Fields meta) throws IOException {
        if (meta.all().get("text_fields") == null) {
            return TEXT_FIELDS;
        }
        List<String> names = new ArrayList<>();
        for (Object name : meta.list("text_fields")) {
            if (!(name instanceof String text)) {
                throw new IOException("text_fields holds what is no name");
            }
            names.add(text);
        }
        return List.copyOf(names);
    }
}
