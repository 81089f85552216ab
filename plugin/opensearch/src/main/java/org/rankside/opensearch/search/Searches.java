package org.rankside.opensearch.search;

import java.util.concurrent.CompletableFuture;
import org.opensearch.ExceptionsHelper;
import org.opensearch.action.search.SearchRequest;
import org.opensearch.action.search.SearchResponse;
import org.opensearch.action.support.ContextPreservingActionListener;
import org.opensearch.common.unit.TimeValue;
import org.opensearch.core.action.ActionListener;
import org.opensearch.core.rest.RestStatus;
import org.opensearch.core.tasks.TaskCancelledException;
import org.opensearch.core.tasks.TaskId;
import org.opensearch.search.SearchHit;
import org.opensearch.search.builder.SearchSourceBuilder;
import org.opensearch.search.pipeline.SearchPipelineService;
import org.opensearch.threadpool.ThreadPool;
import org.opensearch.transport.client.Client;
import org.rankside.search.Deadline;
import org.rankside.search.Failures;
import org.rankside.search.PassThrough;

/** Searches of the plugin's own, as the user and as children of the user's search. */
final class Searches {
    private final Client client;
    private final ThreadPool threads;
    private final TaskId parent;

    Searches(Client client, ThreadPool threads, TaskId parent) {
        this.client = client;
        this.threads = threads;
        this.parent = parent;
    }

    /** The hits of {@code source} where {@code like} searches, ended when the time is over. */
    CompletableFuture<SearchHit[]> run(
            SearchRequest like, SearchSourceBuilder source, Deadline deadline) {
        long left = deadline.left().toMillis();
        if (left <= 0) {
            return CompletableFuture.failedFuture(Failures.late());
        }
        SearchRequest request = like(like).source(source).pipeline(SearchPipelineService.NOOP_PIPELINE_ID);
        request.setCancelAfterTimeInterval(TimeValue.timeValueMillis(left));
        return run(request)
                .thenApply(
                        response -> {
                            if (response.getFailedShards() > 0) {
                                throw new PassThrough(
                                        "engine_rejected",
                                        "the window search failed on "
                                                + response.getFailedShards() + " shards, the first"
                                                + " saying: "
                                                + response.getShardFailures()[0].reason());
                            }
                            return response.getHits().getHits();
                        });
    }

    /** {@code request} as it is. */
    CompletableFuture<SearchResponse> run(SearchRequest request) {
        CompletableFuture<SearchResponse> found = new CompletableFuture<>();
        request.setParentTask(parent);
        try {
            client.search(
                    request,
                    ContextPreservingActionListener.wrapPreservingContext(
                            ActionListener.wrap(found::complete, error -> found.completeExceptionally(translated(error))),
                            threads.getThreadContext()));
        } catch (RuntimeException error) { // as for a child of a search that was cancelled
            found.completeExceptionally(translated(error));
        }
        return found;
    }

    /** Whether the search would have failed without us too: it was cancelled, or the node is full. */
    static boolean noneOfOurs(Throwable error) {
        return cancelled(error) || ExceptionsHelper.status(error) == RestStatus.TOO_MANY_REQUESTS;
    }

    /** Ours are cancelled when their time is over. */
    private static Throwable translated(Exception error) {
        return cancelled(error) ? Failures.late() : error;
    }

    private static boolean cancelled(Throwable error) {
        return ExceptionsHelper.unwrap(error, TaskCancelledException.class) != null;
    }

    /** A request for the same indices, shards and copies; {@code like} may be of a pipeline's kind. */
    private static SearchRequest like(SearchRequest like) {
        SearchRequest request =
                new SearchRequest(like.indices())
                        .indicesOptions(like.indicesOptions())
                        .routing(like.routing())
                        .preference(like.preference())
                        .searchType(like.searchType());
        request.setMaxConcurrentShardRequests(like.getMaxConcurrentShardRequests());
        if (like.getPreFilterShardSize() != null) {
            request.setPreFilterShardSize(like.getPreFilterShardSize());
        }
        if (like.allowPartialSearchResults() != null) {
            request.allowPartialSearchResults(like.allowPartialSearchResults());
        }
        return request;
    }
}
