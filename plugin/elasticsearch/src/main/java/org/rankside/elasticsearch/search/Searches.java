package org.rankside.elasticsearch.search;

import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.elasticsearch.ExceptionsHelper;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.search.SearchRequest;
import org.elasticsearch.action.search.SearchResponse;
import org.elasticsearch.action.support.ContextPreservingActionListener;
import org.elasticsearch.client.internal.Client;
import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.elasticsearch.search.SearchHit;
import org.elasticsearch.search.builder.PointInTimeBuilder;
import org.elasticsearch.search.builder.SearchSourceBuilder;
import org.elasticsearch.tasks.TaskCancelledException;
import org.elasticsearch.tasks.TaskId;
import org.rankside.search.Deadline;
import org.rankside.search.Failures;
import org.rankside.search.PassThrough;

/** Searches of the plugin's own, as the user and as children of the user's search. */
record Searches(
        Client client,
        ThreadContext context,
        TaskId parent,
        PointInTimeBuilder moment,
        Deadline deadline) {
    /** What {@code reader} makes of the hits of {@code source}; it may not keep them. */
    <T> CompletableFuture<T> run(SearchSourceBuilder source, Function<SearchHit[], T> reader) {
        if (deadline.left().toMillis() <= 0) {
            return CompletableFuture.failedFuture(Failures.late());
        }
        SearchRequest request = new SearchRequest().source(source.pointInTimeBuilder(moment));
        request.setPreFilterShardSize(Integer.MAX_VALUE); // shards keep their numbers, as in the core
        request.setParentTask(parent);
        CompletableFuture<T> found = new CompletableFuture<>();
        try {
            client.search(request, listener(found, reader));
        } catch (RuntimeException error) { // as for a child of a search that was cancelled
            found.completeExceptionally(translated(error));
        }
        return found;
    }

    private <T> ActionListener<SearchResponse> listener(
            CompletableFuture<T> found, Function<SearchHit[], T> reader) {
        return ContextPreservingActionListener.wrapPreservingContext(
                ActionListener.wrap(
                        response -> found.complete(reader.apply(hits(response))),
                        error -> found.completeExceptionally(translated(error))),
                context);
    }

    private static SearchHit[] hits(SearchResponse response) {
        if (response.getFailedShards() > 0) {
            throw new PassThrough(
                    "engine_rejected",
                    "the window search failed on "
                            + response.getFailedShards() + " shards, the first saying: "
                            + response.getShardFailures()[0].reason());
        }
        return response.getHits().getHits();
    }

    private static Throwable translated(Exception error) {
        return ExceptionsHelper.unwrap(error, TaskCancelledException.class) == null
                ? error
                : Failures.late();
    }
}
