package org.rankside.opensearch.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.opensearch.common.settings.Settings;
import org.opensearch.common.util.concurrent.ThreadContext;

@Timeout(30)
@SuppressWarnings("try") // a context is there to be closed, not to be read
class ContextsTest {
    private final ThreadContext context = new ThreadContext(Settings.EMPTY);
    private final CompletableFuture<String> call = new CompletableFuture<>();

    @Test
    void whatComesAfterACallHasTheContextThatWasBeforeIt() {
        CompletableFuture<String> user;
        try (ThreadContext.StoredContext search = context.newStoredContext(false)) {
            context.putTransient("user", "anna");
            user = Contexts.kept(context, call).thenApply(answer -> context.getTransient("user"));
        }
        onAnotherThread(() -> call.complete("answer"));
        assertEquals("anna", user.join());
    }

    @Test
    void theThreadThatBroughtTheAnswerKeepsItsOwn() {
        try (ThreadContext.StoredContext search = context.newStoredContext(false)) {
            context.putTransient("user", "anna");
            Contexts.kept(context, call);
        }
        onAnotherThread(
                () -> {
                    call.complete("answer");
                    assertNull(context.getTransient("user"));
                });
    }

    @Test
    void aFailureIsHandedOn() {
        CompletableFuture<String> kept = Contexts.kept(context, call);
        IllegalStateException error = new IllegalStateException();
        call.completeExceptionally(error);
        assertSame(error, assertThrows(CompletionException.class, kept::join).getCause());
    }

    @Test
    void cancellingItCancelsTheCall() {
        Contexts.kept(context, call).cancel(false);
        assertTrue(call.isCancelled());
    }

    private static void onAnotherThread(Runnable work) {
        try (ExecutorService other = Executors.newSingleThreadExecutor()) {
            CompletableFuture.runAsync(work, other).join();
        }
    }
}
