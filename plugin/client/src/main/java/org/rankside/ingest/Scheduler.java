package org.rankside.ingest;

import java.time.Duration;

/** Runs something later, on a thread of the engine's. */
public interface Scheduler {
    /**
     * @throws RuntimeException the node is going down
     */
    void later(Duration delay, Runnable work);
}
