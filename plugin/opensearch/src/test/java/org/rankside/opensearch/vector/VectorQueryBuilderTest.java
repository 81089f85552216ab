package org.rankside.opensearch.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.opensearch.common.io.stream.BytesStreamOutput;
import org.opensearch.common.xcontent.json.JsonXContent;
import org.opensearch.core.xcontent.DeprecationHandler;
import org.opensearch.core.xcontent.NamedXContentRegistry;
import org.opensearch.core.xcontent.XContentParseException;
import org.opensearch.core.xcontent.XContentParser;
import org.rankside.client.Vectors;

class VectorQueryBuilderTest {
    private static final float[] VECTOR = {0.5f, -2, 1e-3f};

    @Test
    void anArrayAndBase64AreTheSame() throws IOException {
        VectorQueryBuilder expected = new VectorQueryBuilder("v", VECTOR);
        assertEquals(expected, parsed("{'field': 'v', 'vector': [0.5, -2, 0.001]}"));
        assertEquals(
                expected, parsed("{'field': 'v', 'vector': '" + Vectors.write(VECTOR) + "'}"));
    }

    @Test
    void whatIsPrintedIsParsed() throws IOException {
        VectorQueryBuilder query = full();
        String printed = query.toString().replaceAll("\\s", "");
        assertTrue(printed.startsWith("{\"rankside_vector\":{"), printed);
        String body = printed.substring("{\"rankside_vector\":".length(), printed.length() - 1);
        assertEquals(query, parsed(body));
        assertEquals(query.hashCode(), parsed(body).hashCode());
    }

    @Test
    void anotherNodeReadsWhatWasSent() throws IOException {
        for (VectorQueryBuilder query : new VectorQueryBuilder[] {full(), new VectorQueryBuilder("v", VECTOR)}) {
            try (BytesStreamOutput out = new BytesStreamOutput()) {
                query.writeTo(out);
                assertEquals(query, new VectorQueryBuilder(out.bytes().streamInput()));
            }
        }
    }

    @Test
    void queriesDifferByEveryPart() {
        assertNotEquals(full(), full().boost(1));
        assertNotEquals(full(), full().hashes("hash", "other"));
        assertNotEquals(full(), full().hashes("other", "fingerprint"));
        assertNotEquals(new VectorQueryBuilder("v", VECTOR), new VectorQueryBuilder("w", VECTOR));
        float[] other = {0.5f, -2, 2e-3f};
        assertNotEquals(new VectorQueryBuilder("v", VECTOR), new VectorQueryBuilder("v", other));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "[]", "[0, 0]", "['a']", "'?'", "'AAA='", "'AAAAAA=='", "[1e39]", "[[1]]", "[null]"
            })
    void whatIsNoVectorIsRefusedWithTheRemedy(String vector) {
        String body = "{'field': 'v', 'vector': " + vector + "}";
        Throwable cause = assertThrows(XContentParseException.class, () -> parsed(body)).getCause();
        assertTrue(cause.getMessage().contains("give base64 of little-endian float32"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{'vector': [1]}",
                "{'field': 'v'}",
                "{'field': 'v', 'vector': 1}",
                "{'field': 'v', 'vector': [1], 'hash_field': 'h'}",
                "{'field': 'v', 'vector': [1], 'fingerprint': 'f'}",
                "{'field': 'v', 'vector': [1], 'hash_field': 'h', 'fingerprint': ''}",
                "{'field': 'v', 'vector': [1], 'colour': 'red'}"
            })
    void whatIsIncompleteOrUnknownIsRefused(String body) {
        assertThrows(IllegalArgumentException.class, () -> parsed(body));
    }

    private static VectorQueryBuilder full() {
        return new VectorQueryBuilder("v", VECTOR)
                .hashes("hash", "fingerprint")
                .boost(2.5f)
                .queryName("named");
    }

    private static VectorQueryBuilder parsed(String body) throws IOException {
        try (XContentParser parser =
                JsonXContent.jsonXContent.createParser(
                        NamedXContentRegistry.EMPTY,
                        DeprecationHandler.THROW_UNSUPPORTED_OPERATION,
                        body.replace('\'', '"'))) {
            return VectorQueryBuilder.fromXContent(parser);
        }
    }
}
