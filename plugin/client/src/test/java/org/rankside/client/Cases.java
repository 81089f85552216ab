package org.rankside.client;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/** Cases that the Python client's tests run too, and JSON for what is sent and answered. */
final class Cases {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private Cases() {}

    static <T> T read(String file, Class<T> type) {
        try {
            return MAPPER.readValue(Path.of(System.getProperty("rankside.cases"), file).toFile(), type);
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
    }

    @SuppressWarnings("unchecked")
    static Map<String, Object> object(String json) {
        try {
            return MAPPER.readValue(json.replace('\'', '"'), Map.class);
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
    }
}
