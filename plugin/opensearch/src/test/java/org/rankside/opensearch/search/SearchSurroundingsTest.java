package org.rankside.opensearch.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.opensearch.common.util.concurrent.ThreadContext;

@Timeout(30)
class SearchSurroundingsTest {
    private static final long TASK = 7;
    private final Engine engine = new Engine();
    private final Cancellations cancellations = new Cancellations();
    private final SearchSurroundings search =
            new SearchSurroundings(engine.threads, cancellations, TASK);

    @AfterEach
    void close() {
        engine.close();
    }

    @Test
    void theSearchsOwnCancellationIsHeardOf() {
        AtomicBoolean told = new AtomicBoolean();
        Runnable deaf = search.onCancel(() -> told.set(true));
        cancellations.onTaskCancelled(Engine.task(8));
        assertFalse(told.get());
        cancellations.onTaskCancelled(Engine.task(TASK));
        assertTrue(told.getAndSet(false));
        deaf.run();
        cancellations.onTaskCancelled(Engine.task(TASK));
        assertFalse(told.get());
    }

    @Test
    @SuppressWarnings("try") // a context is there to be closed, not to be read
    void whatComesAfterACallHasTheSearchsThreadContext() {
        ThreadContext context = engine.threads.getThreadContext();
        CompletableFuture<Void> late = new CompletableFuture<>();
        CompletableFuture<String> user;
        try (ThreadContext.StoredContext stored = context.newStoredContext(false)) {
            context.putTransient("user", "anna");
            user = search.kept(late).handle((done, error) -> context.getTransient("user"));
        }
        search.after(Duration.ofMillis(1), () -> late.complete(null));
        assertEquals("anna", user.join());
    }

    @Test
    void aTimerThatWasStoppedDoesNothing() {
        CompletableFuture<String> first = new CompletableFuture<>();
        search.after(Duration.ofMillis(50), () -> first.complete("stopped")).run();
        search.after(Duration.ofMillis(100), () -> first.complete("other"));
        assertEquals("other", first.join());
    }
}
