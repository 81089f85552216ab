package org.rankside.client;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Cases that the Python client's tests run too, and JSON for what is sent and answered. */
public final class Cases {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private Cases() {}

    public static <T> T read(String file, Class<T> type) {
        try {
            return MAPPER.readValue(Path.of(System.getProperty("rankside.cases"), file).toFile(), type);
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
    }

    @SuppressWarnings("unchecked")
    public static Map<String, Object> object(String json) {
        try {
            return MAPPER.readValue(json.replace('\'', '"'), Map.class);
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
    }

    /** The object in a file. */
    @SuppressWarnings("unchecked")
    public static Map<String, Object> read(String file) {
        return read(file, Map.class);
    }

    @SuppressWarnings("unchecked")
    public static Map<String, Object> objectAt(Map<String, Object> object, String name) {
        return (Map<String, Object>) object.get(name);
    }

    @SuppressWarnings("unchecked")
    public static List<Map<String, Object>> objectsAt(Map<String, Object> object, String name) {
        return (List<Map<String, Object>>) object.get(name);
    }

    /** It in the place of an engine's. */
    public static Json json() {
        return new Json() {
            @Override
            public byte[] write(Map<String, ?> object) throws IOException {
                return MAPPER.writeValueAsBytes(object);
            }

            @Override
            public Map<String, Object> read(byte[] bytes) {
                return object(new String(bytes, StandardCharsets.UTF_8));
            }
        };
    }
}
