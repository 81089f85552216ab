package org.rankside.ingest;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What a pipeline says of one processor, by the engine's own readers; reading a parameter takes it
 * out, as the engine refuses what is left.
 */
public abstract class Config {
    /** Whatever a parameter is; null where it is not said. */
    protected abstract Object value(String name);

    /** A text; null where it is not said. */
    protected abstract String text(String name);

    protected abstract int number(String name, int otherwise);

    protected abstract boolean truth(String name, boolean otherwise);

    /** An object; null where it is not said. */
    protected abstract Map<String, Object> object(String name);

    /**
     * A time as the engine writes it.
     *
     * @throws IllegalArgumentException it is none
     */
    protected abstract long millis(String name, String text);

    /** The engine's error about a parameter. */
    protected abstract RuntimeException refused(String name, String why);

    /** A list of texts, or one text; null where it is not said. */
    public final List<String> texts(String name) {
        Object value = value(name);
        return value == null ? null : texts(name, value);
    }

    final List<String> texts(String name, Object value) {
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

    final int number(String name, int otherwise, int most) {
        int number = number(name, otherwise);
        if (number < 1 || number > most) {
            throw refused(name, "is " + number + " and not between 1 and " + most);
        }
        return number;
    }

    final Duration time(String name, String otherwise, boolean mayBeZero) {
        String text = Objects.requireNonNullElse(text(name), otherwise);
        long millis;
        try {
            millis = millis(name, text);
        } catch (IllegalArgumentException error) {
            throw refused(name, "is [" + text + "] and not like 30s");
        }
        if (millis < (mayBeZero ? 0 : 1)) {
            throw refused(name, "is [" + text + "], which is too short");
        }
        return Duration.ofMillis(millis);
    }
}
