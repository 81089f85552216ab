package org.rankside.search;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** No engine: a search that is cancelled when a test says so. */
final class Alone implements Surroundings {
    private final List<Runnable> onCancel = new ArrayList<>();

    void cancel() {
        List.copyOf(onCancel).forEach(Runnable::run);
    }

    @Override
    public <T> CompletableFuture<T> kept(CompletableFuture<T> call) {
        return call;
    }

    @Override
    public Runnable after(Duration delay, Runnable then) {
        CompletableFuture<Void> timer =
                CompletableFuture.runAsync(
                        then,
                        CompletableFuture.delayedExecutor(delay.toNanos(), TimeUnit.NANOSECONDS));
        return () -> timer.cancel(false);
    }

    @Override
    public Runnable onCancel(Runnable then) {
        onCancel.add(then);
        return () -> onCancel.remove(then);
    }
}
