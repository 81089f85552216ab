package org.rankside.client;

import java.io.IOException;
import java.util.List;
import java.util.Map;

/** Fields of a JSON object, each of the type that is asked for or an error that names it. */
record Fields(Map<String, Object> all) {
    String text(String name) throws IOException {
        return of(String.class, name, all.get(name));
    }

    /** Null where it is null or not there. */
    String textOrNull(String name) throws IOException {
        return all.get(name) == null ? null : text(name);
    }

    double number(String name) throws IOException {
        return of(Number.class, name, all.get(name)).doubleValue();
    }

    /** A whole number that is not negative. */
    int count(String name) throws IOException {
        double number = number(name);
        if (!(number >= 0 && number <= Integer.MAX_VALUE && number == Math.rint(number))) {
            throw new IOException(name + " is " + number + " where a count is due");
        }
        return (int) number;
    }

    List<?> list(String name) throws IOException {
        return of(List.class, name, all.get(name));
    }

    Fields object(String name) throws IOException {
        return object(name, all.get(name));
    }

    @SuppressWarnings("unchecked")
    static Fields object(String name, Object value) throws IOException {
        return new Fields(of(Map.class, name, value));
    }

    private static <T> T of(Class<T> type, String name, Object value) throws IOException {
        if (!type.isInstance(value)) {
            String found = value == null ? "missing" : value.getClass().getSimpleName();
            throw new IOException(name + " is " + found + " where " + type.getSimpleName() + " is due");
        }
        return type.cast(value);
    }
}
