package org.rankside.elasticsearch.search;

import org.elasticsearch.action.search.SearchRequest;
import org.elasticsearch.tasks.CancellableTask;
import org.elasticsearch.tasks.Task;
import org.elasticsearch.tasks.TaskId;

/**
 * The search that a retriever is of, which a retriever itself does not see.
 *
 * @param task null for none
 * @param begun when it came to this node, in {@link System#nanoTime} nanoseconds
 */
record UserSearch(Task task, SearchRequest request, long begun) {
    /** Under which a thread context has it. */
    static final String KEY = "rankside_search";

    /** Whether only counts and aggregations are wanted. */
    boolean wantsNoHits() {
        return request.source() != null && request.source().size() == 0;
    }

    /** Runs {@code then} should it be cancelled. */
    void onCancel(Runnable then) {
        if (task instanceof CancellableTask cancellable) {
            cancellable.addListener(then::run);
        }
    }

    /** It as a parent of others. */
    TaskId parent(String node) {
        return task == null ? TaskId.EMPTY_TASK_ID : new TaskId(node, task.getId());
    }
}
