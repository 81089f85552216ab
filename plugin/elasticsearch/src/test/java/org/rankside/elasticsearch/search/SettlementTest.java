package org.rankside.elasticsearch.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.net.URI;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.elasticsearch.ElasticsearchStatusException;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.elasticsearch.tasks.TaskCancelledException;
import org.junit.jupiter.api.Test;
import org.rankside.client.Stats;
import org.rankside.search.Failures;
import org.rankside.search.Parameters;
import org.rankside.search.PassLog;
import org.rankside.search.PassThrough;
import org.rankside.search.Timings;

class SettlementTest {
    private static final Outcome PASSED =
            Outcome.passed(new PassThrough("sidecar_rejected", "it broke"));

    private final Stats stats = new Stats();
    private final List<String> log = new ArrayList<>();
    private final ThreadContext context = new ThreadContext(Settings.EMPTY);
    private final List<Outcome> judged = new ArrayList<>();

    /** What its listener was told, once: an exception, or null. */
    private Exception settled(Outcome outcome, Map<String, Object> said, Consumer<Outcome> judged) {
        List<Exception> told = new ArrayList<>();
        ActionListener<Void> listener =
                ActionListener.wrap(nothing -> told.add(null), error -> told.add(error));
        Parameters parameters =
                Parameters.ofSearch(
                        List.of(URI.create("http://127.0.0.1:1")), null, new HashMap<>(said), Map.of());
        new Settlement(stats, new PassLog(System::nanoTime, log::add), context)
                .settle(outcome, parameters, new Timings(), judged, listener);
        assertEquals(1, told.size());
        return told.getFirst();
    }

    @Test
    void aSearchThatIsPassedThroughGoesOnAndSaysSo() {
        assertNull(settled(PASSED, Map.of(), judged::add));
        assertEquals(List.of(PASSED), judged);
        Map<String, List<String>> headers = context.getResponseHeaders();
        assertEquals(List.of("passed_through"), headers.get("X-Rankside-Status"));
        assertEquals(List.of("sidecar_rejected"), headers.get("X-Rankside-Reason"));
        assertEquals(Map.of("passed_through", 1L), stats.snapshot().searches());
        assertEquals(1, log.size());
    }

    @Test
    void aSearchThatIsToFailDoes() {
        Exception told = settled(PASSED, Map.of("on_failure", "fail"), judged::add);
        assertInstanceOf(ElasticsearchStatusException.class, told);
        assertEquals("rankside could not rerank (sidecar_rejected): it broke", told.getMessage());
        assertEquals(List.of(), judged);
        assertEquals(Map.of("failed", 1L), stats.snapshot().searches());
    }

    @Test
    void aCancelledSearchIsNobodysFailure() {
        Exception told = settled(Outcome.passed(Failures.cancelled()), Map.of(), judged::add);
        assertInstanceOf(TaskCancelledException.class, told);
        assertEquals(Map.of(), stats.snapshot().searches());
        assertEquals(List.of(), log);
    }

    @Test
    void whatBreaksOnTheWayIsToldToo() {
        RuntimeException broken = new IllegalStateException("no more headers");
        Consumer<Outcome> breaks =
                outcome -> {
                    throw broken;
                };
        assertSame(broken, settled(PASSED, Map.of(), breaks));
    }
}
