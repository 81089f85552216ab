package org.rankside.ingest;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * What a pipeline says of a processor.
 *
 * @param fields one, or one for each entry of {@code field_map}
 * @param fingerprint null: as the index says
 */
public record EmbeddingParameters(
        Asking asking, List<FieldNames> fields, String fingerprint, boolean skipExisting) {
    // So that the longest vectors there are (4096) fit the longest answer that is read.
    private static final int LARGEST_BATCH = 512;
    private static final int MOST_CONCURRENT = 64;

    /**
     * The parameters in {@code config}; throws what the engine's own processors throw.
     *
     * @param addresses of the sidecar, tried in turn
     * @param auth name of a key in the keystore, or null
     * @param linger how long a text waits for others
     */
    public static EmbeddingParameters read(
            Config config, List<URI> addresses, String auth, Duration linger) {
        Asking asking =
                new Asking(
                        addresses,
                        auth,
                        config.time("timeout", "120s", false),
                        config.number("batch_size", 64, LARGEST_BATCH),
                        config.number("max_concurrent", 4, MOST_CONCURRENT),
                        config.time("retry_for", "60s", true),
                        linger);
        return new EmbeddingParameters(
                asking, fields(config), config.text("fingerprint"), config.truth("skip_existing", true));
    }

    private static List<FieldNames> fields(Config config) {
        FieldNames one =
                new FieldNames(
                        config.text("vector_field"), config.text("hash_field"), config.texts("text_fields"));
        Map<String, Object> map = config.object("field_map");
        if (map == null) {
            return List.of(one);
        }
        if (map.isEmpty() || !one.equals(new FieldNames(null, null, null))) {
            throw config.refused(
                    "field_map", "is empty, or has text_fields, vector_field or hash_field beside it");
        }
        return map.entrySet().stream()
                .map(
                        entry ->
                                new FieldNames(
                                        entry.getKey(),
                                        entry.getKey() + "_hash",
                                        config.texts("field_map", entry.getValue())))
                .toList();
    }
}
