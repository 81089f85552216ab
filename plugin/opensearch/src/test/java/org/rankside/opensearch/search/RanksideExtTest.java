package org.rankside.opensearch.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.opensearch.common.io.stream.BytesStreamOutput;
import org.opensearch.common.xcontent.json.JsonXContent;
import org.opensearch.core.common.ParsingException;
import org.opensearch.core.common.bytes.BytesReference;
import org.opensearch.core.xcontent.DeprecationHandler;
import org.opensearch.core.xcontent.NamedXContentRegistry;
import org.opensearch.core.xcontent.ToXContent;
import org.opensearch.core.xcontent.XContentBuilder;
import org.opensearch.core.xcontent.XContentParser;
import org.opensearch.search.SearchExtBuilder;
import org.opensearch.search.builder.SearchSourceBuilder;

class RanksideExtTest {
    private static final String JSON =
            "{'window': 5, 'fusion': {'listwise': 1.5}, 'text_fields': ['a', 'b'],"
                    + " 'exact_window': true, 'instruction': null}";

    @Test
    void whatARequestSaysIsPrintedAsItCame() throws IOException {
        assertEquals(Map.of("rankside", Cases.object(JSON)), printed(parsed(JSON)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"'none'", "true", "5", "[{'window': 5}]"})
    void whatIsNoObjectIsRefused(String json) {
        ParsingException error = assertThrows(ParsingException.class, () -> parsed(json));
        assertEquals(
                "ext.rankside is no object; write it as {\"strategy\": \"none\"}", error.getMessage());
    }

    @Test
    void nullSaysNothing() throws IOException {
        assertEquals(new RanksideExt(Map.of()), parsed("null"));
    }

    @Test
    void anotherNodeReadsWhatWasSent() throws IOException {
        RanksideExt ext = parsed(JSON);
        try (BytesStreamOutput out = new BytesStreamOutput()) {
            ext.writeTo(out);
            RanksideExt copy = new RanksideExt(out.bytes().streamInput());
            assertEquals(ext, copy);
            assertEquals(ext.hashCode(), copy.hashCode());
            assertEquals(printed(ext), printed(copy));
        }
    }

    @Test
    void theyDifferByWhatTheySay() throws IOException {
        assertNotEquals(parsed("{'window': 5}"), parsed("{'window': 6}"));
    }

    @Test
    void takingFromWhatARequestSaysLeavesTheRequestAlone() throws IOException {
        SearchSourceBuilder source =
                new SearchSourceBuilder().ext(List.of(new Other(), parsed("{'window': 5}")));
        Map<String, Object> said = RanksideExt.of(source);
        assertEquals(5, said.remove("window"));
        assertEquals(Map.of("window", 5), RanksideExt.of(source));
    }

    @Test
    void aRequestMaySayNothing() {
        SearchSourceBuilder source = new SearchSourceBuilder();
        assertEquals(Map.of(), RanksideExt.of(source));
        assertEquals(Map.of(), RanksideExt.of(source.ext(List.of(new Other()))));
    }

    @Test
    void oneTakesThePlaceOfAnotherAndOfNoneElse() throws IOException {
        Other other = new Other();
        RanksideExt said = parsed("{'window': 5}");
        RanksideExt done = new RanksideExt(Map.of("status", "reranked"));
        List<SearchExtBuilder> before = new ArrayList<>(List.of(said, other));
        assertEquals(List.of(other, done), done.among(before));
        assertEquals(List.of(said, other), before);
    }

    private static RanksideExt parsed(String json) throws IOException {
        try (XContentParser parser =
                JsonXContent.jsonXContent.createParser(
                        NamedXContentRegistry.EMPTY,
                        DeprecationHandler.THROW_UNSUPPORTED_OPERATION,
                        json.replace('\'', '"'))) {
            parser.nextToken();
            return RanksideExt.parse(parser);
        }
    }

    private static Map<String, Object> printed(RanksideExt ext) throws IOException {
        try (XContentBuilder builder = JsonXContent.contentBuilder()) {
            ext.toXContent(builder.startObject(), ToXContent.EMPTY_PARAMS).endObject();
            return Cases.object(BytesReference.bytes(builder).utf8ToString());
        }
    }
}
