package org.rankside.elasticsearch.search;

import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.elasticsearch.common.util.concurrent.ThreadContext;

/** Keeps the thread context of a search, its user's rights among it, over calls that lose it. */
final class Contexts {
    private Contexts() {}

    /** {@code call}, with what comes after it in the context that is now; cancelling it cancels. */
    @SuppressWarnings("try") // a context is there to be closed, not to be read
    static <T> CompletableFuture<T> kept(ThreadContext context, CompletableFuture<T> call) {
        Supplier<ThreadContext.StoredContext> restore = context.newRestorableContext(true);
        CompletableFuture<T> given = new CompletableFuture<>();
        call.whenComplete(
                (value, error) -> {
                    try (ThreadContext.StoredContext here = restore.get()) {
                        if (error == null) {
                            given.complete(value);
                        } else {
                            given.completeExceptionally(error);
                        }
                    }
                });
        given.whenComplete((value, error) -> call.cancel(false));
        return given;
    }
}
