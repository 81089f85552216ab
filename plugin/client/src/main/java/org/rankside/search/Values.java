package org.rankside.search;

import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Takes parameters out of a map, each of the type that is due.
 *
 * <p>What stays in the map nobody knows. Every error is an IllegalArgumentException of one sentence.
 */
public final class Values {
    /** The engines' own units of time; nobody waits for nanoseconds. */
    private static final Map<String, ChronoUnit> UNITS =
            Map.of(
                    "micros", ChronoUnit.MICROS,
                    "ms", ChronoUnit.MILLIS,
                    "s", ChronoUnit.SECONDS,
                    "m", ChronoUnit.MINUTES,
                    "h", ChronoUnit.HOURS,
                    "d", ChronoUnit.DAYS);

    private static final Pattern TIME = Pattern.compile("([0-9]{1,9}) *(micros|ms|s|m|h|d)");

    private final Map<String, Object> left;
    private final Map<String, String> names;

    /** Takes from {@code left} itself, as the engine's factories expect. */
    public Values(Map<String, Object> left) {
        this(left, Map.of());
    }

    /**
     * Takes from {@code left} itself.
     *
     * @param names under which it has parameters, by ours; others have the same
     */
    Values(Map<String, Object> left, Map<String, String> names) {
        this.left = left;
        this.names = names;
    }

    String text(String name, String otherwise) {
        return take(name, otherwise, this::asText);
    }

    List<String> texts(String name, List<String> otherwise) {
        return take(name, otherwise, this::asTexts);
    }

    int count(String name, int otherwise, int most) {
        return take(name, otherwise, (key, value) -> asCount(key, value, most));
    }

    boolean flag(String name, boolean otherwise) {
        return take(name, otherwise, this::asFlag);
    }

    Duration time(String name, Duration otherwise) {
        return take(name, otherwise, this::asTime);
    }

    <E extends Enum<E>> E choice(String name, Class<E> kind, E otherwise) {
        return take(name, otherwise, (key, value) -> asChoice(key, value, kind));
    }

    Map<String, Double> weights(String name, Map<String, Double> otherwise) {
        return take(name, otherwise, this::asWeights);
    }

    /** Refuses what nobody took. */
    public void checkEmpty() {
        if (!left.isEmpty()) {
            throw new IllegalArgumentException(
                    "rankside has no parameter " + left.keySet().iterator().next()
                            + " here; see the reference of its parameters");
        }
    }

    private <T> T take(String name, T otherwise, BiFunction<String, Object, T> read) {
        String called = names.getOrDefault(name, name);
        Object value = left.remove(called);
        return value == null ? otherwise : read.apply(called, value);
    }

    private String asText(String name, Object value) {
        if (value instanceof String text && !text.isBlank()) {
            return text.strip();
        }
        throw wrong(name, value, "a text");
    }

    private List<String> asTexts(String name, Object value) {
        List<?> several = value instanceof List<?> list ? list : List.of(value);
        if (several.isEmpty()) {
            throw wrong(name, value, "one text or several");
        }
        return several.stream().map(one -> asText(name, one)).toList();
    }

    private int asCount(String name, Object value, int most) {
        if (value instanceof Integer count && count >= 1 && count <= most) {
            return count;
        }
        throw wrong(name, value, "a whole number from 1 to " + most);
    }

    private boolean asFlag(String name, Object value) {
        if (value instanceof Boolean flag) {
            return flag;
        }
        throw wrong(name, value, "true or false");
    }

    private Duration asTime(String name, Object value) {
        Matcher time = TIME.matcher(value instanceof String text ? text.strip() : "");
        if (time.matches() && Long.parseLong(time.group(1)) > 0) {
            return Duration.of(Long.parseLong(time.group(1)), UNITS.get(time.group(2)));
        }
        throw wrong(name, value, "a time above 0 as 500ms");
    }

    private <E extends Enum<E>> E asChoice(String name, Object value, Class<E> kind) {
        E[] all = kind.getEnumConstants();
        return Arrays.stream(all)
                .filter(one -> word(one).equals(value))
                .findAny()
                .orElseThrow(
                        () ->
                                wrong(
                                        name,
                                        value,
                                        "one of "
                                                + String.join(
                                                        ", ",
                                                        Arrays.stream(all).map(Values::word).toList())));
    }

    private Map<String, Double> asWeights(String name, Object value) {
        if (!(value instanceof Map<?, ?> given) || given.isEmpty()) {
            throw wrong(name, value, "weights by signal as {\"listwise\": 1}");
        }
        Map<String, Double> weights = new LinkedHashMap<>();
        given.forEach(
                (signal, weight) -> {
                    if (!(weight instanceof Number number)) {
                        throw wrong(name + "." + signal, weight, "a number");
                    }
                    weights.put(signal.toString(), number.doubleValue());
                });
        return weights;
    }

    /** As users write it: in lower case. */
    public static String word(Enum<?> one) {
        return one.name().toLowerCase(Locale.ROOT);
    }

    private static IllegalArgumentException wrong(String name, Object value, String due) {
        return new IllegalArgumentException(
                "rankside's " + name + " is [" + value + "] and must be " + due);
    }
}
