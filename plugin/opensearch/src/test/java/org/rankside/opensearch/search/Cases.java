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

    /** The object in a file. */
    static Map<String, Object> read(String file) {
        return object(text(file));
    }

    /** The objects of the list in a file. */
    static List<Map<String, Object>> list(String file) {
        return objectsAt(object("{\"list\": " + text(file) + "}"), "list");
    }

    /** The object of {@code json}, in which {@code '} may stand for a quote. */
    static Map<String, Object> object(String json) {
        boolean single = json.indexOf('"') < 0;
        try {
            return new OpenSearchJson().read((single ? json.replace('\'', '"') : json).getBytes());
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

    private static String text(String file) {
        try {
            return Files.readString(Path.of(System.getProperty("rankside.cases"), file));
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
    }
}
