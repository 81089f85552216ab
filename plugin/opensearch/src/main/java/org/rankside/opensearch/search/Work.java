package org.rankside.opensearch.search;

import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.opensearch.common.lease.Releasable;
import org.opensearch.common.unit.TimeValue;
import org.opensearch.common.util.concurrent.ThreadContext;
import org.opensearch.threadpool.Scheduler;
import org.opensearch.threadpool.ThreadPool;

/**
 * What is done for one search before, or after, the user's own request: one future that ends once.
 *
 * <p>It ends by itself, when the time is over, or when the search is cancelled; whatever calls are
 * under way then are cancelled.
 */
final class Work {
    /** What the calls' own timeouts have before this one: theirs know who was late. */
    private static final double GRACE = 0.05;

    private final ThreadPool threads;
    private final Cancellations cancellations;
    private final Set<CompletableFuture<?>> calls = ConcurrentHashMap.newKeySet();
    private volatile boolean over;

    Work(ThreadPool threads, Cancellations cancellations) {
        this.threads = threads;
        this.cancellations = cancellations;
    }

    /** {@code call}, cancelled should the work end before it, in the thread context that is now. */
    <T> CompletableFuture<T> call(CompletableFuture<T> call) {
        CompletableFuture<T> kept = Contexts.kept(threads.getThreadContext(), call);
        calls.add(kept);
        kept.whenComplete((value, error) -> calls.remove(kept));
        if (over) { // while it was made
            kept.cancel(false);
        }
        return kept;
    }

    /**
     * {@code done}, or a failure at {@code deadline}.
     *
     * @param task whose cancellation ends it, 0 for none
     */
    <T> CompletableFuture<T> until(CompletableFuture<T> done, Deadline deadline, long task) {
        CompletableFuture<T> whole = new CompletableFuture<>();
        double millis = deadline.left().toMillis() * (1 + GRACE) + 10;
        Scheduler.ScheduledCancellable timer =
                threads.schedule(
                        () -> whole.completeExceptionally(Searches.late()),
                        TimeValue.timeValueMillis((long) Math.max(millis, 1)),
                        ThreadPool.Names.GENERIC);
        Releasable registered =
                cancellations.add(
                        task,
                        () -> whole.completeExceptionally(Failures.cancelled()));
        CompletableFuture<T> ended =
                whole.whenComplete(
                        (value, error) -> {
                            over = true;
                            timer.cancel();
                            registered.close();
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
        return Contexts.kept(threads.getThreadContext(), ended);
    }
}
