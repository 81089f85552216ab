package org.rankside.search;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What is done for one search before, or after, the user's own request: one future that ends once.
 *
 * <p>It ends by itself, when the time is over, or when the search is cancelled; whatever calls are
 * under way then are cancelled.
 */
public final class Work {
    /** What the calls' own timeouts have before this one: theirs know who was late. */
    private static final double GRACE = 0.05;

    private final Surroundings surroundings;
    private final Set<CompletableFuture<?>> calls = ConcurrentHashMap.newKeySet();
    private volatile boolean over;

    /** For one search. */
    public Work(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    /** {@code call}, cancelled should the work end before it, in the engine's context that is now. */
    public <T> CompletableFuture<T> call(CompletableFuture<T> call) {
        CompletableFuture<T> kept = surroundings.kept(call);
        calls.add(kept);
        kept.whenComplete((value, error) -> calls.remove(kept));
        if (over) { // while it was made
            kept.cancel(false);
        }
        return kept;
    }

    /** {@code done}, or a failure at {@code deadline} or when the search is cancelled. */
    public <T> CompletableFuture<T> until(CompletableFuture<T> done, Deadline deadline) {
        CompletableFuture<T> whole = new CompletableFuture<>();
        double millis = deadline.left().toMillis() * (1 + GRACE) + 10;
        Runnable timer =
                surroundings.after(
                        Duration.ofMillis((long) Math.max(millis, 1)),
                        () -> whole.completeExceptionally(Failures.late()));
        Runnable registered =
                surroundings.onCancel(() -> whole.completeExceptionally(Failures.cancelled()));
        CompletableFuture<T> ended =
                whole.whenComplete(
                        (value, error) -> {
                            over = true;
                            timer.run();
                            registered.run();
                            calls.forEach(call -> call.cancel(false));
                        });
        done.whenComplete(
                (value, error) -> {
                    if (error == null) {
                        whole.complete(value);
                    } else {
                        whole.completeExceptionally(error);
                    }
                });
        return surroundings.kept(ended);
    }
}
