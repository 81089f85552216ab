package org.rankside.opensearch.search;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.opensearch.common.unit.TimeValue;
import org.opensearch.threadpool.Scheduler;
import org.opensearch.threadpool.ThreadPool;
import org.rankside.search.Surroundings;

/**
 * The node around one search.
 *
 * @param task of the search, 0 for none
 */
record SearchSurroundings(ThreadPool threads, Cancellations cancellations, long task)
        implements Surroundings {
    @Override
    public <T> CompletableFuture<T> kept(CompletableFuture<T> call) {
        return Contexts.kept(threads.getThreadContext(), call);
    }

    @Override
    public Runnable after(Duration delay, Runnable then) {
        Scheduler.ScheduledCancellable timer =
                threads.schedule(
                        then,
                        TimeValue.timeValueNanos(delay.toNanos()),
                        ThreadPool.Names.GENERIC);
        return timer::cancel;
    }

    @Override
    public Runnable onCancel(Runnable then) {
        return cancellations.add(task, then)::close;
    }
}
