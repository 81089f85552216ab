package org.rankside.opensearch.search;

import java.util.List;
import java.util.function.Supplier;
import org.opensearch.action.ActionRequest;
import org.opensearch.action.search.SearchAction;
import org.opensearch.action.search.SearchRequest;
import org.opensearch.action.search.SearchResponse;
import org.opensearch.action.support.ActionFilter;
import org.opensearch.action.support.ActionFilterChain;
import org.opensearch.action.support.ActionRequestMetadata;
import org.opensearch.common.util.concurrent.ThreadContext;
import org.opensearch.core.action.ActionListener;
import org.opensearch.core.action.ActionResponse;
import org.opensearch.tasks.Task;
import org.rankside.client.Request;

/**
 * Follows every search of this node from its request to its response.
 *
 * <p>A request processor sees neither the search's task nor its response; with this filter one line
 * in a pipeline is enough for both. A search that no {@code rankside} processor touches is left alone.
 */
public final class RerankFilter implements ActionFilter {
    private final Supplier<Reranker> reranker;
    private final Supplier<ThreadContext> context;

    /** The node's parts are there only after its filters. */
    public RerankFilter(Supplier<Reranker> reranker, Supplier<ThreadContext> context) {
        this.reranker = reranker;
        this.context = context;
    }

    /** Last: behind those that decide who may search. */
    @Override
    public int order() {
        return Integer.MAX_VALUE;
    }

    @Override
    @SuppressWarnings("try") // a context is there to be closed, not to be read
    public <Request extends ActionRequest, Response extends ActionResponse> void apply(
            Task task,
            String action,
            Request request,
            ActionRequestMetadata<Request, Response> metadata,
            ActionListener<Response> listener,
            ActionFilterChain<Request, Response> chain) {
        if (!action.equals(SearchAction.NAME) || !(request instanceof SearchRequest search)) {
            chain.proceed(task, action, request, listener);
            return;
        }
        Rerank rerank = new Rerank(search, task);
        ThreadContext here = context.get();
        // A search within a search, as our own window search, is not the outer one.
        try (ThreadContext.StoredContext outer =
                here.newStoredContext(true, List.of(Rerank.KEY))) {
            here.putTransient(Rerank.KEY, rerank);
            chain.proceed(task, action, request, listener(search, rerank, listener));
        }
    }

    @SuppressWarnings("unchecked") // the search action's response is a SearchResponse
    private <Response extends ActionResponse> ActionListener<Response> listener(
            SearchRequest request, Rerank rerank, ActionListener<Response> listener) {
        ActionListener<SearchResponse> answer = (ActionListener<SearchResponse>) listener;
        return ActionListener.wrap(
                response -> {
                    if (rerank.parameters() == null) {
                        listener.onResponse(response);
                    } else {
                        reranker.get().response(request, rerank, (SearchResponse) response, answer);
                    }
                },
                error -> {
                    if (rerank.parameters() == null) {
                        listener.onFailure(error);
                    } else {
                        reranker.get().failure(rerank, error, answer);
                    }
                });
    }
}
