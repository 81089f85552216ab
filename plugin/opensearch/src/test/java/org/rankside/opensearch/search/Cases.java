package org.rankside.opensearch.search;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.rankside.opensearch.OpenSearchJson;

/** Cases that the Python client's tests run too, and JSON with quotes that Java can bear. */
final class Cases {
    private Cases() {}

    static Map<String, Object> read(String file) {
        try {
            return new OpenSearchJson()
                    .read(Files.readAllBytes(Path.of(System.getProperty("rankside.cases"), file)));
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
    }

    /** The object of {@code json}, whose quotes are single ones. */
    static Map<String, Object> object(String json) {
        try {
            return new OpenSearchJson().read(json.replace('\'', '"').getBytes());
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
    }

    @SuppressWarnings("unchecked")
    static Map<String, Object> objectAt(Map<String, Object> object, String name) {
        return (Map<String, Object>) object.get(name);
    }

    @SuppressWarnings("unchecked")
    static List<Map<String, Object>> objectsAt(Map<String, Object> object, String name) {
        return (List<Map<String, Object>>) object.get(name);
    }
}
