package org.rankside.opensearch.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.opensearch.action.search.SearchRequest;
import org.opensearch.common.settings.Settings;
import org.opensearch.common.util.concurrent.ThreadContext;
import org.opensearch.core.action.ActionListener;
import org.opensearch.env.Environment;
import org.opensearch.search.builder.SearchSourceBuilder;
import org.opensearch.search.pipeline.PipelineProcessingContext;
import org.opensearch.search.pipeline.Processor.PipelineContext;
import org.opensearch.search.pipeline.Processor.PipelineSource;
import org.opensearch.search.pipeline.SearchRequestProcessor;
import org.rankside.client.Sidecars;
import org.rankside.client.Stats;
import org.rankside.opensearch.node.NodeSettings;
import org.rankside.search.Strategy;

class RerankProcessorTest {
    private static final String BARE = "{'url': 'http://a:1', 'strategy': 'none'}";

    @TempDir private Path home;
    private final Engine engine = new Engine();
    private final ThreadContext context = engine.threads.getThreadContext();
    private Sidecars sidecars;
    private RerankProcessor.Factory factory;

    @BeforeEach
    void make() {
        Settings settings =
                Settings.builder()
                        .put("path.home", home)
                        .setSecureSettings(
                                new Keystore(Map.of("rankside.auth.books.key", "secret")))
                        .build();
        sidecars = NodeSettings.sidecars(new Environment(settings, home), engine.threads.generic());
        AskingFactory askings =
                new AskingFactory(engine.client, null, engine.threads, sidecars, null, null);
        Reranker reranker = new Reranker(askings, new Stats());
        factory = new RerankProcessor.Factory(() -> reranker, () -> sidecars, context);
    }

    @AfterEach
    void close() {
        sidecars.close();
        engine.close();
    }

    @Test
    void itIsWhatThePipelineCallsIt() {
        SearchRequestProcessor made =
                create(Cases.object("{'url': 'http://a:1', 'auth': 'books'}"), PipelineSource.UPDATE_PIPELINE);
        assertEquals("rankside", made.getType());
        assertEquals("a tag", made.getTag());
        assertEquals("what it is for", made.getDescription());
        assertEquals(true, made.isIgnoreFailure());
    }

    @Test
    void parametersThatItDoesNotKnowAreLeftForTheEngineToRefuse() {
        Map<String, Object> config =
                Cases.object("{'url': 'http://a:1', 'window': 5, 'windw': 5, 'query_text': 'x'}");
        create(config, PipelineSource.VALIDATE_PIPELINE);
        assertEquals(Map.of("windw", 5, "query_text", "x"), config);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "{}|url is empty; name at least one sidecar",
                "{'url': 'sidecar'}|url [sidecar] is not like http://127.0.0.1:8080",
                "{'url': 'http://me:secret@a:1'}|url has credentials in it; a key belongs in the engine's"
                        + " keystore",
                "{'url': 'http://a:1', 'auth': 'films'}|the keystore has no rankside.auth.films.key; add it"
                        + " with opensearch-keystore on every node and restart them",
                "{'url': 'http://a:1', 'window': 0}|rankside's window is [0] and must be a whole number from"
                        + " 1 to 10000",
            })
    void aWrongPipelineIsRefusedWhenItIsMade(String config, String why) {
        assertEquals(
                why,
                assertThrows(
                                IllegalArgumentException.class,
                                () -> create(Cases.object(config), PipelineSource.UPDATE_PIPELINE))
                        .getMessage());
    }

    @ParameterizedTest
    @EnumSource(
            value = PipelineSource.class,
            names = {"UPDATE_PIPELINE", "VALIDATE_PIPELINE"})
    void aStoredPipelineMayHaveIt(PipelineSource source) {
        assertEquals("rankside", create(Cases.object(BARE), source).getType());
    }

    @Test
    void aSearchMayNotBringItsOwn() {
        IllegalArgumentException error =
                assertThrows(
                        IllegalArgumentException.class,
                        () -> create(Cases.object(BARE), PipelineSource.SEARCH_REQUEST));
        assertEquals(
                "a search may not bring a rankside processor of its own; store the pipeline with PUT"
                        + " /_search/pipeline/NAME and search with search_pipeline=NAME",
                error.getMessage());
    }

    @Test
    void noThreadIsMadeToWait() {
        SearchRequestProcessor made = create(Cases.object(BARE), PipelineSource.UPDATE_PIPELINE);
        assertThrows(
                UnsupportedOperationException.class, () -> made.processRequest(new SearchRequest()));
    }

    @Test
    void theSearchThatTheFilterFollowsLearnsWhatBecameOfIt() {
        SearchRequest request = new SearchRequest("i").source(new SearchSourceBuilder());
        Rerank rerank = new Rerank(request, null);
        context.putTransient(Rerank.KEY, rerank);
        assertSame(request, process(request));
        assertEquals(Strategy.NONE, rerank.parameters().strategy());
        assertEquals("strategy_none", rerank.passed().reason());
    }

    @Test
    void aSearchThatNoFilterFollowsGoesOnToo() {
        SearchRequest request = new SearchRequest("i");
        assertSame(request, process(request));
        assertEquals(new SearchSourceBuilder(), request.source());
    }

    @Test
    void aWrongRequestIsAnErrorForTheUser() {
        SearchSourceBuilder source = new SearchSourceBuilder();
        source.ext(new RanksideExt(Map.of("url", "http://b:1")).among(source.ext()));
        Object answered = process(new SearchRequest("i").source(source));
        assertEquals(
                "rankside has no parameter url here; see the reference of its parameters",
                assertInstanceOf(IllegalArgumentException.class, answered).getMessage());
    }

    /** The one thing that the listener was told. */
    private Object process(SearchRequest request) {
        List<Object> told = new ArrayList<>();
        create(Cases.object(BARE), PipelineSource.UPDATE_PIPELINE)
                .processRequestAsync(
                        request,
                        new PipelineProcessingContext(),
                        ActionListener.wrap(told::add, told::add));
        assertEquals(1, told.size());
        return told.getFirst();
    }

    private SearchRequestProcessor create(Map<String, Object> config, PipelineSource source) {
        return factory.create(
                Map.of(), "a tag", "what it is for", true, config, new PipelineContext(source));
    }
}
