package org.rankside.opensearch;

import java.io.IOException;
import java.util.Map;
import org.opensearch.common.xcontent.json.JsonXContent;
import org.opensearch.core.common.bytes.BytesReference;
import org.opensearch.core.xcontent.DeprecationHandler;
import org.opensearch.core.xcontent.NamedXContentRegistry;
import org.opensearch.core.xcontent.XContentBuilder;
import org.opensearch.core.xcontent.XContentParser;
import org.rankside.client.Json;

/** JSON by the engine's own parser. */
public final class OpenSearchJson implements Json {
    @Override
    public byte[] write(Map<String, ?> object) throws IOException {
        try (XContentBuilder builder = JsonXContent.contentBuilder()) {
            return BytesReference.toBytes(BytesReference.bytes(builder.map(object)));
        }
    }

    @Override
    public Map<String, Object> read(byte[] bytes) throws IOException {
        try (XContentParser parser =
                JsonXContent.jsonXContent.createParser(
                        NamedXContentRegistry.EMPTY,
                        DeprecationHandler.IGNORE_DEPRECATIONS,
                        bytes)) {
            // The parser would make an empty object of whatever is none.
            if (parser.nextToken() != XContentParser.Token.START_OBJECT) {
                throw new IOException("it is no JSON object");
            }
            return parser.map();
        } catch (IllegalStateException | IllegalArgumentException error) {
            throw new IOException("it is no JSON object", error);
        }
    }
}
