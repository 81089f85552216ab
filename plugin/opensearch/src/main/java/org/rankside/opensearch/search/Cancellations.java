package org.rankside.opensearch.search;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.opensearch.common.lease.Releasable;
import org.opensearch.tasks.CancellableTask;
import org.opensearch.tasks.TaskManager;

/** Tells whoever works for a search of this node that it was cancelled. */
public final class Cancellations implements TaskManager.TaskEventListeners {
    private final Map<Long, Runnable> waiting = new ConcurrentHashMap<>();

    /** Runs {@code onCancel} should {@code task} be cancelled, until what is returned is closed. */
    Releasable add(long task, Runnable onCancel) {
        waiting.put(task, onCancel);
        return () -> waiting.remove(task, onCancel);
    }

    @Override
    public void onTaskCancelled(CancellableTask task) {
        Runnable told = waiting.get(task.getId());
        if (told != null) {
            told.run();
        }
    }
}
