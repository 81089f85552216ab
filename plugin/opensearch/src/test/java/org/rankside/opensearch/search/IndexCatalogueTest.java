package org.rankside.opensearch.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.opensearch.Version;
import org.opensearch.action.OriginalIndices;
import org.opensearch.action.search.SearchContextId;
import org.opensearch.action.search.SearchRequest;
import org.opensearch.action.support.IndicesOptions;
import org.opensearch.cluster.metadata.AliasMetadata;
import org.opensearch.cluster.metadata.IndexMetadata;
import org.opensearch.cluster.metadata.IndexNameExpressionResolver;
import org.opensearch.common.settings.Settings;
import org.opensearch.core.common.io.stream.NamedWriteableRegistry;
import org.opensearch.core.index.shard.ShardId;
import org.opensearch.index.IndexNotFoundException;
import org.opensearch.search.SearchPhaseResult;
import org.opensearch.search.SearchShardTarget;
import org.opensearch.search.builder.PointInTimeBuilder;
import org.opensearch.search.builder.SearchSourceBuilder;
import org.opensearch.search.internal.ShardSearchContextId;
import org.opensearch.search.query.QuerySearchResult;
import org.opensearch.threadpool.ThreadPool;
import org.rankside.search.IndexFacts;
import org.rankside.search.PassThrough;

class IndexCatalogueTest {
    private static final String OURS =
            "{'_meta': {'rankside': {'fingerprint': 'f', 'model': 'm', 'dimensions': 3}}}";
    private static final String BROKEN = "{'_meta': {'rankside': {}}}";

    private final ThreadPool threads =
            new ThreadPool(Settings.builder().put("node.name", "test").build());
    private final NamedWriteableRegistry registry = new NamedWriteableRegistry(List.of());
    private final Cluster cluster = new Cluster(threads);
    private final IndexCatalogue catalogue =
            new IndexCatalogue(
                    cluster, new IndexNameExpressionResolver(threads.getThreadContext()), registry);

    @AfterEach
    void stop() {
        ThreadPool.terminate(threads, 10, TimeUnit.SECONDS);
    }

    @Test
    void indicesAreFoundByNameAliasAndPattern() {
        cluster.has(
                index("books-1", OURS, 1).putAlias(AliasMetadata.builder("all")),
                index("books-2", "{}", 1).putAlias(AliasMetadata.builder("all")),
                index("other", OURS, 1));
        assertEquals(Set.of("books-1"), facts("books-1").keySet());
        assertEquals(Set.of("books-1", "books-2"), facts("all").keySet());
        assertEquals(Set.of("books-1", "books-2"), facts("book*").keySet());
        assertEquals(Set.of("books-1", "books-2", "other"), facts().keySet());
        assertEquals("f", facts("all").get("books-1").meta().fingerprint());
        assertNull(facts("all").get("books-2").meta());
    }

    @Test
    void aPatternOfNoneFindsNone() {
        cluster.has(index("books", OURS, 1));
        assertEquals(Map.of(), facts("films-*"));
    }

    @Test
    void anIndexThatIsNotThereIsForTheUsersOwnRequestToSay() {
        cluster.has(index("books", OURS, 1));
        assertThrows(IndexNotFoundException.class, () -> facts("films"));
        SearchRequest lenient =
                new SearchRequest("films", "books").indicesOptions(IndicesOptions.lenientExpandOpen());
        assertEquals(Set.of("books"), catalogue.facts(lenient).keySet());
    }

    @Test
    void aMappingIsReadAgainWhenItHasChanged() {
        cluster.has(index("books", OURS, 1));
        IndexFacts first = facts("books").get("books");
        cluster.has(index("books", OURS, 1), index("other", OURS, 1));
        assertSame(first, facts("books").get("books"));
        cluster.has(index("books", OURS.replace("'f'", "'g'"), 2));
        IndexFacts second = facts("books").get("books");
        assertNotSame(first, second);
        assertEquals("g", second.meta().fingerprint());
    }

    @Test
    void anIndexMadeAnewUnderAnOldNameIsAnotherOne() {
        cluster.has(index("books", OURS, 1));
        facts("books");
        IndexMetadata.Builder anew = index("books", OURS.replace("'f'", "'g'"), 1);
        cluster.has(anew.settings(
                Settings.builder()
                        .put(anew.build().getSettings())
                        .put(IndexMetadata.SETTING_INDEX_UUID, "another")));
        assertEquals("g", facts("books").get("books").meta().fingerprint());
    }

    @Test
    void moreIndicesThanAreKeptAreReadAllTheSame() {
        IndexMetadata.Builder[] many = new IndexMetadata.Builder[1100];
        for (int at = 0; at < many.length; at++) {
            many[at] = index("books-" + at, OURS, 1);
        }
        cluster.has(many);
        assertEquals(1100, facts("books-*").size());
    }

    @Test
    void aBrokenMappingIsNotUsed() {
        cluster.has(index("books", OURS, 1), index("broken", BROKEN, 1));
        PassThrough passed = assertThrows(PassThrough.class, () -> facts("b*"));
        assertEquals("broken_meta", passed.reason());
        assertTrue(passed.getMessage().startsWith("broken: "), passed.getMessage());
        assertEquals(Set.of("books"), facts("books").keySet());
    }

    @ParameterizedTest
    @ValueSource(strings = {"other:books", "*:books", "other:<books-{now/d}>"})
    void anIndexOfAnotherClusterIsRefused(String name) {
        cluster.has(index("books", OURS, 1));
        PassThrough passed = assertThrows(PassThrough.class, () -> facts("books", name));
        assertEquals("remote_indices", passed.reason());
        assertEquals(
                name + " is of another cluster, whose mapping is not known here; search it there, or"
                        + " through the client side",
                passed.getMessage());
    }

    @Test
    void aDateInATimeZoneIsNoOtherCluster() {
        cluster.has(index("books-today", OURS, 1));
        assertEquals(
                Set.of("books-today"), facts("<books-{now/d{'today'|+12:00}}>").keySet());
    }

    @ParameterizedTest
    @CsvSource({", books", "other, other:books"})
    void aPointInTimeKnowsItsIndices(String clusterAlias, String refused) {
        cluster.has(index("books", OURS, 1), index("films", OURS, 1));
        SearchRequest request = pointInTime(clusterAlias, "books");
        if (clusterAlias == null) {
            assertEquals(Set.of("books"), catalogue.facts(request).keySet());
        } else {
            PassThrough passed =
                    assertThrows(PassThrough.class, () -> catalogue.facts(request));
            assertEquals("remote_indices", passed.reason());
            assertTrue(passed.getMessage().startsWith(refused), passed.getMessage());
        }
    }

    @Test
    void anIndexThatWasDeletedSinceAPointInTimeIsLeftOut() {
        cluster.has(index("films", OURS, 1));
        assertEquals(Set.of("films"), catalogue.facts(pointInTime(null, "books", "films")).keySet());
    }

    private static SearchRequest pointInTime(String clusterAlias, String... indices) {
        List<SearchPhaseResult> results = new ArrayList<>();
        for (String name : indices) {
            SearchShardTarget target =
                    new SearchShardTarget(
                            "node", new ShardId(name, "uuid", 0), clusterAlias, OriginalIndices.NONE);
            ShardSearchContextId id = new ShardSearchContextId("session", 1);
            results.add(new QuerySearchResult(id, target, null));
        }
        String id = SearchContextId.encode(results, Map.of(), Version.CURRENT);
        return new SearchRequest()
                .source(new SearchSourceBuilder().pointInTimeBuilder(new PointInTimeBuilder(id)));
    }

    private Map<String, IndexFacts> facts(String... names) {
        return catalogue.facts(new SearchRequest(names));
    }

    private static IndexMetadata.Builder index(String name, String mapping, long version) {
        return Indices.index(name, Cases.object(mapping)).mappingVersion(version);
    }
}
