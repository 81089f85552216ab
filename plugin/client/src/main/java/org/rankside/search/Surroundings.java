package org.rankside.search;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** What the engine does for the work on one search. */
public interface Surroundings {
    /** {@code call}, with what comes after it in the engine's context that is now; cancelling it cancels. */
    <T> CompletableFuture<T> kept(CompletableFuture<T> call);

    /** Runs {@code then} after {@code delay}, until what is returned is run. */
    Runnable after(Duration delay, Runnable then);

    /** Runs {@code then} should the search be cancelled, until what is returned is run. */
    Runnable onCancel(Runnable then);
}
