package org.rankside.opensearch.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.opensearch.OpenSearchParseException;
import org.rankside.ingest.Asking;
import org.rankside.ingest.EmbeddingParameters;
import org.rankside.ingest.FieldNames;
import org.rankside.opensearch.OpenSearchJson;

class EmbeddingParametersTest {
    private static final String URL = "'url': 'http://a:1/'";

    @Test
    void whatIsNotSaidHasADefault() {
        EmbeddingParameters read = read("{" + URL + "}");
        assertEquals(
                new Asking(
                        List.of(URI.create("http://a:1")), null,
                        Duration.ofMinutes(2), 64, 4, Duration.ofMinutes(1), Duration.ZERO),
                read.asking());
        assertEquals(List.of(new FieldNames(null, null, null)), read.fields());
        assertNull(read.fingerprint());
        assertTrue(read.skipExisting());
    }

    @Test
    void everythingCanBeSaid() {
        EmbeddingParameters read =
                read(
                        "{'url': ['http://a:1', 'https://b/c'], 'auth': 'k', 'timeout': '9s',"
                                + " 'batch_size': 512,"
                                + " 'max_concurrent': 64, 'retry_for': '0', 'vector_field': 'v',"
                                + " 'hash_field': 'h', 'text_fields': 'a.b', 'fingerprint': 'f',"
                                + " 'skip_existing': false}");
        assertEquals(
                new Asking(
                        List.of(URI.create("http://a:1"), URI.create("https://b/c")), "k",
                        Duration.ofSeconds(9), 512, 64, Duration.ZERO, Duration.ZERO),
                read.asking());
        assertEquals(List.of(new FieldNames("v", "h", List.of("a.b"))), read.fields());
        assertEquals("f", read.fingerprint());
        assertEquals(false, read.skipExisting());
    }

    @Test
    void aFieldMapNamesItsHashFields() {
        List<FieldNames> fields =
                read("{" + URL + ", 'field_map': {'v': ['a', 'b'], 'w': 'c'}}").fields();
        assertEquals(
                Set.of(
                        new FieldNames("v", "v_hash", List.of("a", "b")),
                        new FieldNames("w", "w_hash", List.of("c"))),
                new HashSet<>(fields));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "'x': 1|[url] is missing",
                "'url': []|[url] is empty",
                "'url': 'ftp://a'|[url] url [ftp://a] is not like",
                "'url': 7|[url] is to be a text or a list of texts",
                "'batch_size': 0|[batch_size] is 0 and not between 1 and 512",
                "'batch_size': 513|[batch_size] is 513 and not between 1 and 512",
                "'max_concurrent': 65|[max_concurrent] is 65 and not between 1 and 64",
                "'timeout': '0s'|[timeout] is [0s], which is too short",
                "'timeout': 'soon'|[timeout] is [soon] and not like 30s",
                "'retry_for': '-1'|[retry_for] is [-1], which is too short",
                "'text_fields': []|[text_fields] is empty",
                "'text_fields': ['a', ' ']|[text_fields] is to be a text or a list of texts",
                "'field_map': {}|[field_map] is empty, or has",
                "'field_map': {'v': 'a'}, 'text_fields': 'b'|[field_map] is empty, or has text_fields",
                "'field_map': {'v': []}|[field_map] is empty",
                "'field_map': {'v': 7}|[field_map] is to be a text",
                "'skip_existing': 'yes'|[skip_existing] property isn't a boolean",
            })
    void whatIsWrongIsNamed(String said, String why) {
        String url = said.contains("'url'") || said.contains("'x'") ? "" : URL + ", ";
        OpenSearchParseException error =
                assertThrows(OpenSearchParseException.class, () -> read("{" + url + said + "}"));
        assertTrue(error.getMessage().startsWith(why), error.getMessage());
        assertEquals(List.of("tag"), error.getMetadata("opensearch.processor_tag"));
    }

    @Test
    void whatIsNotKnownAndKeysThatAreNotThereAreRefused(@TempDir Path home) {
        try (FakeNode node = new FakeNode(home, 1)) {
            String model = "{" + URL + ", 'model': 'm'}";
            IllegalArgumentException left =
                    assertThrows(IllegalArgumentException.class, () -> node.processor(model));
            assertEquals("left: {model=m}", left.getMessage());
            String auth = "{" + URL + ", 'auth': 'k'}";
            OpenSearchParseException key =
                    assertThrows(OpenSearchParseException.class, () -> node.processor(auth));
            assertTrue(key.getMessage().startsWith("[auth] the keystore has no rankside.auth.k.key"));
        }
    }

    private static EmbeddingParameters read(String config) {
        try {
            Map<String, Object> map =
                    new OpenSearchJson().read(config.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
            return EmbeddingFactory.parameters("tag", new HashMap<>(map));
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
    }
}
