package org.rankside.opensearch.ingest;

import static org.opensearch.ingest.ConfigurationUtils.newConfigurationException;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.opensearch.common.unit.TimeValue;
import org.opensearch.ingest.ConfigurationUtils;
import org.rankside.client.SidecarSettings;

/**
 * What a pipeline says of a processor; reading it takes each parameter out of {@code config}, as the
 * engine refuses what is left.
 *
 * @param fields one, or one for each entry of {@code field_map}
 * @param fingerprint null: as the index says
 */
record EmbeddingParameters(Asking asking, List<FieldNames> fields, String fingerprint, boolean skipExisting) {
    // So that the longest vectors there are (4096) fit the longest answer that is read.
    private static final int LARGEST_BATCH = 512;
    private static final int MOST_CONCURRENT = 64;

    /** Reads one processor's parameters, whose errors name its tag. */
    private record Reader(String tag, Map<String, Object> config) {
        String text(String name) {
            return ConfigurationUtils.readOptionalStringProperty(EmbeddingProcessor.TYPE, tag, config, name);
        }

        /** A list of texts, or one text; null where there is none. */
        List<String> texts(String name) {
            Object value = config.remove(name);
            return value == null ? null : texts(name, value);
        }

        List<String> texts(String name, Object value) {
            List<?> all = value instanceof List<?> list ? list : List.of(value);
            List<String> texts = new ArrayList<>();
            for (Object one : all) {
                if (!(one instanceof String text) || text.isBlank()) {
                    throw refused(name, "is to be a text or a list of texts");
                }
                texts.add(text);
            }
            if (texts.isEmpty()) {
                throw refused(name, "is empty");
            }
            return List.copyOf(texts);
        }

        int number(String name, int otherwise, int most) {
            int number =
                    ConfigurationUtils.readIntProperty(
                            EmbeddingProcessor.TYPE, tag, config, name, otherwise);
            if (number < 1 || number > most) {
                throw refused(name, "is " + number + " and not between 1 and " + most);
            }
            return number;
        }

        Duration time(String name, String otherwise, boolean mayBeZero) {
            String text = Objects.requireNonNullElse(text(name), otherwise);
            TimeValue time;
            try {
                time = TimeValue.parseTimeValue(text, name);
            } catch (IllegalArgumentException error) {
                throw refused(name, "is [" + text + "] and not like 30s");
            }
            if (time.millis() < (mayBeZero ? 0 : 1)) {
                throw refused(name, "is [" + text + "], which is too short");
            }
            return Duration.ofMillis(time.millis());
        }

        boolean truth(String name, boolean otherwise) {
            return ConfigurationUtils.readBooleanProperty(
                    EmbeddingProcessor.TYPE, tag, config, name, otherwise);
        }

        RuntimeException refused(String name, String why) {
            return newConfigurationException(EmbeddingProcessor.TYPE, tag, name, why);
        }
    }

    /** The parameters in {@code config}; throws what the engine's own processors throw. */
    static EmbeddingParameters read(String tag, Map<String, Object> config) {
        Reader reader = new Reader(tag, config);
        return new EmbeddingParameters(
                asking(reader),
                fields(reader),
                reader.text("fingerprint"),
                reader.truth("skip_existing", true));
    }

    private static Asking asking(Reader reader) {
        List<String> urls = reader.texts("url");
        if (urls == null) {
            throw reader.refused("url", "is missing; give the sidecar's address");
        }
        try {
            return new Asking(
                    SidecarSettings.addresses(urls),
                    reader.text("auth"),
                    reader.time("timeout", "120s", false),
                    reader.number("batch_size", 64, LARGEST_BATCH),
                    reader.number("max_concurrent", 4, MOST_CONCURRENT),
                    reader.time("retry_for", "60s", true));
        } catch (IllegalArgumentException error) {
            throw reader.refused("url", error.getMessage());
        }
    }

    private static List<FieldNames> fields(Reader reader) {
        FieldNames one =
                new FieldNames(
                        reader.text("vector_field"), reader.text("hash_field"), reader.texts("text_fields"));
        Map<String, Object> map =
                ConfigurationUtils.readOptionalMap(
                        EmbeddingProcessor.TYPE, reader.tag(), reader.config(), "field_map");
        if (map == null) {
            return List.of(one);
        }
        if (map.isEmpty() || !one.equals(new FieldNames(null, null, null))) {
            throw reader.refused(
                    "field_map", "is empty, or has text_fields, vector_field or hash_field beside it");
        }
        return map.entrySet().stream()
                .map(
                        entry ->
                                new FieldNames(
                                        entry.getKey(),
                                        entry.getKey() + "_hash",
                                        reader.texts("field_map", entry.getValue())))
                .toList();
    }
}
