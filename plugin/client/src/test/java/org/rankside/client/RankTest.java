package org.rankside.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RankTest {
    private static final Question QUESTION =
            new Question(
                    "q",
                    List.of(new Hit("a", 2f, "x", null), new Hit("b", 1f, "y", null)),
                    900,
                    null,
                    null,
                    null);
    private static final Rank.Call CALL = new Rank.Call(QUESTION, "insertrank", null, null);

    @Test
    void theOrderIsRead() throws IOException {
        Rank.Answer answer = Rank.Answer.read(Cases.object(answer("[{'id': 'b'}, {'id': 'a'}]")), CALL);
        assertEquals(List.of("b", "a"), answer.ids());
        assertEquals("partial", answer.status());
        assertNull(answer.model());
        assertFalse(answer.settled());
        assertEquals("insertrank", CALL.written().get("strategy"));
    }

    @Test
    void whatIsNotKnownIsLeftOut() {
        Rank.Call whole = new Rank.Call(QUESTION, "insertrank", 250.0, List.of(1.5, 1.0));
        assertEquals(250.0, whole.written().get("llm_deadline_ms"));
        assertEquals(List.of(1.5, 1.0), whole.written().get("window_scores"));
        assertFalse(CALL.written().containsKey("llm_deadline_ms"));
        assertFalse(CALL.written().containsKey("window_scores"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "[{'id': 'a'}]",
                "[{'id': 'a'}, {'id': 'a'}]",
                "[{'id': 'a'}, {'id': 'c'}]",
                "[{'id': 'a'}, {'id': 'b'}, {'id': 'b'}]",
                "[]"
            })
    void anOrderOfOtherHitsIsRefused(String results) {
        IOException error =
                assertThrows(
                        IOException.class,
                        () -> Rank.Answer.read(Cases.object(answer(results)), CALL));
        assertTrue(error.getMessage().endsWith("that are not the 2 sent"), error.getMessage());
    }

    private static String answer(String results) {
        return "{'results': " + results + ", 'status': 'partial', 'reason': 'x', 'model': null,"
                + " 'strategy': 'insertrank', 'timings_ms': {}, 'usage': {}}";
    }
}
