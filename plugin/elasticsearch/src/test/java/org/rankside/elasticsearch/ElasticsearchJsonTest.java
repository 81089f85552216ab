package org.rankside.elasticsearch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ElasticsearchJsonTest {
    private final ElasticsearchJson json = new ElasticsearchJson();

    @Test
    void whatIsWrittenIsReadBack() throws IOException {
        Map<String, Object> object = Map.of("a", List.of(1, 2.5, "ü\n"), "b", Map.of("c", true));
        assertEquals(object, json.read(json.write(object)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "[1]", "{\"a\":", "<html>", "NaN", "\"text\""})
    void whatIsNoObjectIsRefused(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        assertThrows(IOException.class, () -> json.read(bytes));
    }
}
