package org.rankside.elasticsearch;

import java.io.IOException;
import java.util.Map;
import org.elasticsearch.common.bytes.BytesReference;
import org.elasticsearch.xcontent.XContentBuilder;
import org.elasticsearch.xcontent.XContentParser;
import org.elasticsearch.xcontent.XContentParserConfiguration;
import org.elasticsearch.xcontent.json.JsonXContent;
import org.rankside.client.Json;

/** JSON by the engine's own parser. */
public final class ElasticsearchJson implements Json {
    @Override
    public byte[] write(Map<String, ?> object) throws IOException {
        try (XContentBuilder builder = JsonXContent.contentBuilder()) {
            return BytesReference.toBytes(BytesReference.bytes(builder.map(object)));
        }
    }

    @Override
    public Map<String, Object> read(byte[] bytes) throws IOException {
        try (XContentParser parser =
                JsonXContent.jsonXContent.createParser(XContentParserConfiguration.EMPTY, bytes)) {
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
