package org.rankside.opensearch.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.opensearch.action.search.ClearScrollAction;
import org.opensearch.action.search.ClearScrollRequest;
import org.opensearch.action.search.SearchAction;
import org.opensearch.action.search.SearchRequest;
import org.opensearch.action.search.SearchResponse;
import org.opensearch.action.support.ActionFilterChain;
import org.opensearch.action.support.ActionRequestMetadata;
import org.opensearch.common.settings.Settings;
import org.opensearch.common.util.concurrent.ThreadContext;
import org.opensearch.env.Environment;
import org.opensearch.search.builder.SearchSourceBuilder;
import org.rankside.client.Sidecars;
import org.rankside.opensearch.node.NodeSettings;
import org.rankside.search.Parameters;
import org.rankside.search.PassThrough;

class RerankFilterTest {
    private final Engine engine = new Engine();
    private final ThreadContext context = engine.threads.getThreadContext();
    private final Answered answered = new Answered();
    private final SearchResponse response = Engine.response();
    @TempDir private Path home;
    private Sidecars sidecars;
    private RerankFilter filter;

    @BeforeEach
    void make() {
        Settings settings = Settings.builder().put("path.home", home.toString()).build();
        sidecars = NodeSettings.sidecars(new Environment(settings, home), engine.threads.generic());
        AskingFactory askings =
                new AskingFactory(engine.client, null, engine.threads, sidecars, null, null);
        Reranker reranker = new Reranker(askings, sidecars.stats());
        filter = new RerankFilter(() -> reranker, () -> context);
    }

    @AfterEach
    void close() {
        sidecars.close();
        engine.close();
    }

    @Test
    void itIsBehindThoseThatDecideWhoMaySearch() {
        assertEquals(Integer.MAX_VALUE, filter.order());
    }

    @Test
    void whatIsNoSearchIsHandedOnAsItIs() {
        List<Object> seen = new ArrayList<>();
        filter.<ClearScrollRequest, SearchResponse>apply(
                null,
                ClearScrollAction.NAME,
                new ClearScrollRequest(),
                ActionRequestMetadata.empty(),
                answered,
                (task, action, request, listener) -> {
                    seen.add(listener);
                    seen.add(String.valueOf(context.<Object>getTransient(Rerank.KEY)));
                });
        assertEquals(List.of(answered, "null"), seen);
    }

    @Test
    void aSearchThatNoProcessorTouchesIsLeftAlone() {
        search((task, action, request, listener) -> listener.onResponse(response));
        assertSame(response, answered.response);
        Exception error = new IllegalStateException();
        search((task, action, request, listener) -> listener.onFailure(error));
        assertSame(error, answered.error);
        assertEquals(Map.of(), sidecars.stats().snapshot().searches());
    }

    @Test
    void aSearchHasItsRerankWhileItRunsAndNobodyAfterIt() {
        search(
                (task, action, request, listener) -> {
                    Rerank rerank = context.getTransient(Rerank.KEY);
                    assertNotNull(rerank);
                    assertEquals(7, rerank.task());
                    listener.onResponse(response);
                });
        assertSame(response, answered.response);
        assertNull(context.getTransient(Rerank.KEY));
    }

    @Test
    void aSearchWithinASearchHasOneOfItsOwnAndLeavesTheOutersAlone() {
        search(
                (task, action, request, listener) -> {
                    Rerank outer = context.getTransient(Rerank.KEY);
                    search(
                            (task2, action2, request2, listener2) ->
                                    assertNotSame(outer, context.getTransient(Rerank.KEY)));
                    assertSame(outer, context.getTransient(Rerank.KEY));
                    listener.onResponse(response);
                });
        assertSame(response, answered.response);
    }

    @Test
    void aSearchThatAProcessorTouchedSaysWhatBecameOfIt() {
        search(
                (task, action, request, listener) -> {
                    touch();
                    listener.onResponse(response);
                });
        assertEquals("no_hits", Engine.said(answered.response).get("reason"));
    }

    @Test
    void itsErrorsAreItsOwn() {
        Exception error = new IllegalStateException();
        search(
                (task, action, request, listener) -> {
                    touch();
                    listener.onFailure(error);
                });
        assertSame(error, answered.error);
        assertNull(answered.response);
    }

    private void touch() {
        Rerank rerank = context.getTransient(Rerank.KEY);
        rerank.begin(Parameters.ofPipeline(new HashMap<>(Map.of("url", "http://127.0.0.1:1"))));
        rerank.pass(new PassThrough("no_hits"));
    }

    private void search(ActionFilterChain<SearchRequest, SearchResponse> chain) {
        filter.apply(
                Engine.task(7),
                SearchAction.NAME,
                new SearchRequest("books").source(new SearchSourceBuilder()),
                ActionRequestMetadata.empty(),
                answered,
                chain);
    }
}
