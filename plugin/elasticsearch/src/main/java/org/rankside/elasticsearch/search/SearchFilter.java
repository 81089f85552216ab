package org.rankside.elasticsearch.search;

import java.util.List;
import java.util.function.Supplier;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.ActionRequest;
import org.elasticsearch.action.ActionResponse;
import org.elasticsearch.action.search.SearchRequest;
import org.elasticsearch.action.search.TransportSearchAction;
import org.elasticsearch.action.support.ActionFilter;
import org.elasticsearch.action.support.ActionFilterChain;
import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.elasticsearch.tasks.Task;

/** Tells retrievers which search they are of. */
public final class SearchFilter implements ActionFilter {
    private final Supplier<ThreadContext> context;

    /** The node's parts are there only after its filters. */
    public SearchFilter(Supplier<ThreadContext> context) {
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
            ActionListener<Response> listener,
            ActionFilterChain<Request, Response> chain) {
        boolean first = context.get().getTransient(UserSearch.KEY) == null;
        boolean search = action.equals(TransportSearchAction.TYPE.name());
        if (!first || !search || !(request instanceof SearchRequest users)) {
            chain.proceed(task, action, request, listener);
            return;
        }
        ThreadContext here = context.get();
        try (ThreadContext.StoredContext outer =
                here.newStoredContext(List.of(UserSearch.KEY), List.of())) {
            here.putTransient(UserSearch.KEY, new UserSearch(task, users, System.nanoTime()));
            chain.proceed(task, action, request, listener);
        }
    }
}
