package org.rankside.elasticsearch;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.elasticsearch.action.support.ActionFilter;
import org.elasticsearch.cluster.node.DiscoveryNodes;
import org.elasticsearch.common.settings.Setting;
import org.elasticsearch.features.NodeFeature;
import org.elasticsearch.ingest.Processor;
import org.elasticsearch.plugins.ActionPlugin;
import org.elasticsearch.plugins.IngestPlugin;
import org.elasticsearch.plugins.Plugin;
import org.elasticsearch.plugins.SearchPlugin;
import org.elasticsearch.rest.RestHandler;
import org.elasticsearch.search.fetch.FetchSubPhase;
import org.elasticsearch.threadpool.ThreadPool;
import org.rankside.elasticsearch.ingest.EmbeddingFactory;
import org.rankside.elasticsearch.node.NodeSettings;
import org.rankside.elasticsearch.node.NodeSidecar;
import org.rankside.elasticsearch.search.BeforeExt;
import org.rankside.elasticsearch.search.BeforePhase;
import org.rankside.elasticsearch.search.RerankRetrieverBuilder;
import org.rankside.elasticsearch.search.Reranker;
import org.rankside.elasticsearch.search.SearchFilter;
import org.rankside.elasticsearch.stats.RestStatsAction;
import org.rankside.elasticsearch.stats.StatsAction;
import org.rankside.elasticsearch.stats.TransportStatsAction;
import org.rankside.elasticsearch.vector.VectorQueryBuilder;

/** Where the engine is told what this plugin adds to it. */
public final class RanksidePlugin extends Plugin
        implements ActionPlugin, IngestPlugin, SearchPlugin {
    private volatile NodeSidecar sidecar;
    private volatile Reranker reranker;
    private volatile ThreadPool threads;

    @Override
    public List<Setting<?>> getSettings() {
        return NodeSettings.all();
    }

    @Override
    public Collection<?> createComponents(PluginServices services) {
        threads = services.threadPool();
        sidecar = NodeSettings.sidecar(services.environment(), threads.generic());
        reranker = new Reranker(sidecar, threads, services.clusterService());
        return List.of(sidecar.sidecars());
    }

    @Override
    public List<RetrieverSpec<?>> getRetrievers() {
        return List.of(
                new RetrieverSpec<>(
                        RerankRetrieverBuilder.NAME,
                        (json, context) ->
                                RerankRetrieverBuilder.fromXContent(json, context, reranker)));
    }

    @Override
    public List<SearchExtSpec<?>> getSearchExts() {
        return List.of(new SearchExtSpec<>(BeforeExt.NAME, BeforeExt::new, BeforeExt::parse));
    }

    @Override
    public List<FetchSubPhase> getFetchSubPhases(FetchPhaseConstructionContext context) {
        return List.of(new BeforePhase());
    }

    @Override
    public Collection<ActionFilter> getActionFilters() {
        return List.of(new SearchFilter(() -> threads.getThreadContext()));
    }

    @Override
    public Map<String, Processor.Factory> getProcessors(Processor.Parameters parameters) {
        return EmbeddingFactory.all(parameters, () -> sidecar);
    }

    @Override
    public Collection<ActionHandler> getActions() {
        return List.of(new ActionHandler(StatsAction.INSTANCE, TransportStatsAction.class));
    }

    @Override
    public Collection<RestHandler> getRestHandlers(
            RestHandlersServices services,
            Supplier<DiscoveryNodes> nodesInCluster,
            Predicate<NodeFeature> clusterSupportsFeature) {
        return List.of(new RestStatsAction());
    }

    @Override
    public List<QuerySpec<?>> getQueries() {
        return List.of(
                new QuerySpec<>(
                        VectorQueryBuilder.NAME,
                        VectorQueryBuilder::new,
                        VectorQueryBuilder::fromXContent));
    }

    @Override
    public void close() {
        if (sidecar != null) { // the start may have failed before
            sidecar.sidecars().close();
        }
    }
}
