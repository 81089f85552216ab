package org.rankside.opensearch.search;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.opensearch.common.xcontent.XContentHelper;
import org.opensearch.common.xcontent.json.JsonXContent;
import org.opensearch.core.common.bytes.BytesReference;
import org.opensearch.core.xcontent.MediaTypeRegistry;
import org.opensearch.core.xcontent.ToXContent;
import org.opensearch.core.xcontent.XContentBuilder;
import org.opensearch.index.query.QueryBuilder;
import org.opensearch.search.builder.SearchSourceBuilder;
import org.rankside.client.QueryText;
import org.rankside.search.Parameters;

/** The text that a request is to be reranked for. */
final class RequestText {
    private RequestText() {}

    /**
     * What {@code ext.rankside.query_text} says, else what is at {@code query_text_path}, else the one
     * text of the query.
     *
     * @throws IllegalArgumentException there is none, or there are several
     */
    static String of(SearchSourceBuilder source, Parameters parameters) {
        if (parameters.queryText() != null) {
            return parameters.queryText();
        }
        if (parameters.queryTextPath() != null) {
            return at(parameters.queryTextPath(), map(source));
        }
        QueryBuilder query = source.query();
        try {
            return QueryText.of(query == null ? null : map(query));
        } catch (IllegalArgumentException error) {
            throw new IllegalArgumentException(
                    error.getMessage()
                            + " in ext.rankside, or search without reranking by"
                            + " ext.rankside.strategy: none",
                    error);
        }
    }

    private static String at(String path, Map<String, Object> request) {
        Object found = request;
        for (String step : path.split("\\.")) {
            found =
                    switch (found) {
                        case Map<?, ?> object -> object.get(step);
                        case List<?> list -> element(list, step);
                        case null, default -> null;
                    };
        }
        if (found instanceof String text && !text.isBlank()) {
            return text.strip();
        }
        throw new IllegalArgumentException(
                "the request has no text at rankside's query_text_path [" + path
                        + "]; put it there, or into ext.rankside.query_text");
    }

    private static Object element(List<?> list, String step) {
        try {
            return list.get(Integer.parseInt(step));
        } catch (NumberFormatException | IndexOutOfBoundsException error) {
            return null;
        }
    }

    private static Map<String, Object> map(ToXContent object) {
        try (XContentBuilder builder = JsonXContent.contentBuilder()) {
            object.toXContent(builder, ToXContent.EMPTY_PARAMS);
            BytesReference written = BytesReference.bytes(builder);
            return XContentHelper.convertToMap(written, false, MediaTypeRegistry.JSON).v2();
        } catch (IOException error) {
            throw new IllegalArgumentException(
                    "the request cannot be written as JSON to find its text in; give it in"
                            + " ext.rankside.query_text",
                    error);
        }
    }
}
