package org.rankside.elasticsearch.search;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.threadpool.Scheduler;
import org.elasticsearch.threadpool.ThreadPool;
import org.rankside.search.Surroundings;

/** The node around one search. */
record SearchSurroundings(ThreadPool threads, UserSearch search) implements Surroundings {
    @Override
    public <T> CompletableFuture<T> kept(CompletableFuture<T> call) {
        return Contexts.kept(threads.getThreadContext(), call);
    }

    @Override
    public Runnable after(Duration delay, Runnable then) {
        Scheduler.ScheduledCancellable timer =
                threads.schedule(
                        then, TimeValue.timeValueNanos(delay.toNanos()), threads.generic());
        return timer::cancel;
    }

    /** A task's listeners cannot be taken away again: one that is not wanted any more does nothing. */
    @Override
    public Runnable onCancel(Runnable then) {
        CompletableFuture<Void> cancelled = new CompletableFuture<>();
        cancelled.thenRun(then);
        search.onCancel(() -> cancelled.complete(null));
        return () -> cancelled.cancel(false);
    }
}
