package org.rankside.opensearch.search;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.opensearch.action.ActionRequest;
import org.opensearch.action.ActionType;
import org.opensearch.action.search.SearchRequest;
import org.opensearch.action.search.SearchResponse;
import org.opensearch.action.search.SearchTask;
import org.opensearch.action.search.ShardSearchFailure;
import org.opensearch.common.settings.Settings;
import org.opensearch.core.action.ActionListener;
import org.opensearch.core.action.ActionResponse;
import org.opensearch.core.tasks.TaskId;
import org.opensearch.search.builder.SearchSourceBuilder;
import org.opensearch.search.internal.InternalSearchResponse;
import org.opensearch.threadpool.ThreadPool;
import org.opensearch.transport.client.support.AbstractClient;
import org.rankside.client.Request;

/** As much of a node as a search of ours sees: its threads, and a client that answers as it is told. */
final class Engine implements AutoCloseable {
    final ThreadPool threads = new ThreadPool(Settings.builder().put("node.name", "test").build());
    final List<SearchRequest> asked = new ArrayList<>();
    final AbstractClient client = new Client(threads);
    /** What it does with a search; it may throw, too. */
    Answer answer = (request, listener) -> listener.onResponse(response());

    /** What a client does with a search. */
    interface Answer {
        void to(SearchRequest request, ActionListener<SearchResponse> listener);
    }

    /** One without hits. */
    static SearchResponse response(ShardSearchFailure... failures) {
        return new SearchResponse(
                InternalSearchResponse.empty(), null, 3, 3 - failures.length, 0, 1, failures,
                SearchResponse.Clusters.EMPTY);
    }

    /** What {@code ext.rankside} of a response says. */
    static Map<String, Object> said(SearchResponse response) {
        return response.getInternalResponse().getSearchExtBuilders().stream()
                .filter(RanksideExt.class::isInstance)
                .map(one -> RanksideExt.of(new SearchSourceBuilder().ext(List.of(one))))
                .findFirst()
                .orElse(Map.of());
    }

    static SearchTask task(long id) {
        return new SearchTask(id, "transport", "search", () -> "", TaskId.EMPTY_TASK_ID, Map.of());
    }

    @Override
    public void close() {
        ThreadPool.terminate(threads, 10, TimeUnit.SECONDS);
    }

    private final class Client extends AbstractClient {
        Client(ThreadPool threads) {
            super(Settings.EMPTY, threads);
        }

        @Override
        @SuppressWarnings("unchecked") // a search's listener is one of a SearchResponse
        protected <Request extends ActionRequest, Response extends ActionResponse> void doExecute(
                ActionType<Response> action, Request request, ActionListener<Response> listener) {
            asked.add((SearchRequest) request);
            answer.to((SearchRequest) request, (ActionListener<SearchResponse>) listener);
        }

        @Override
        public void close() {}
    }
}
