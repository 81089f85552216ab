package org.rankside.elasticsearch.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.elasticsearch.ElasticsearchParseException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EmbeddingFactoryTest {
    @TempDir Path home;

    @Test
    void aNodeWithoutASidecarSaysWhatToDo() throws Exception {
        try (FakeNode node = new FakeNode(home, 1)) {
            assertRefused(node, "{}", "this node has no sidecar; set rankside.sidecar.url");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "'batch_size': 0|[batch_size] is 0 and not between 1 and 512",
                "'max_concurrent': 65|[max_concurrent] is 65 and not between 1 and 64",
                "'timeout': '0s'|[timeout] is [0s], which is too short",
                "'timeout': 'soon'|[timeout] is [soon] and not like 30s",
                "'retry_for': '-1'|[retry_for] is [-1], which is too short",
                "'text_fields': []|[text_fields] is empty",
                "'field_map': {'v': 'a'}, 'text_fields': 'b'|[field_map] is empty, or has text_fields",
                "'skip_existing': 'yes'|[skip_existing] property isn't a boolean",
            })
    void whatIsWrongIsNamed(String said, String why) throws Exception {
        try (FakeNode node = new FakeNode(home, 1, "rankside.sidecar.url", "http://a:1")) {
            assertRefused(node, "{" + said + "}", why);
        }
    }

    @ParameterizedTest
    @CsvSource({"url", "auth", "model"})
    void whatIsNotKnownIsLeftForTheEngineToRefuse(String parameter) throws Exception {
        try (FakeNode node = new FakeNode(home, 1, "rankside.sidecar.url", "http://a:1")) {
            String config = "{'" + parameter + "': 'http://b:1'}";
            IllegalArgumentException left =
                    assertThrows(IllegalArgumentException.class, () -> node.processor(config));
            assertEquals("left: {" + parameter + "=http://b:1}", left.getMessage());
        }
    }

    @Test
    void aDelayIsNotShortenedToNothing() {
        assertEquals(1, EmbeddingFactory.millis(Duration.ofNanos(1)));
        assertEquals(5, EmbeddingFactory.millis(Duration.ofMillis(5)));
    }

    private static void assertRefused(FakeNode node, String config, String why) {
        ElasticsearchParseException error =
                assertThrows(ElasticsearchParseException.class, () -> node.processor(config));
        assertTrue(error.getMessage().startsWith(why), error.getMessage());
        assertEquals(List.of("tag"), error.getMetadata("es.processor_tag"));
    }
}
