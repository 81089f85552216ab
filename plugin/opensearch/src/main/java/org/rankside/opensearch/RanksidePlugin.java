package org.rankside.opensearch;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.opensearch.action.ActionRequest;
import org.opensearch.action.support.ActionFilter;
import org.opensearch.cluster.metadata.IndexNameExpressionResolver;
import org.opensearch.cluster.node.DiscoveryNodes;
import org.opensearch.cluster.service.ClusterService;
import org.opensearch.common.lifecycle.LifecycleComponent;
import org.opensearch.common.settings.ClusterSettings;
import org.opensearch.common.settings.IndexScopedSettings;
import org.opensearch.common.settings.Setting;
import org.opensearch.common.settings.Settings;
import org.opensearch.common.settings.SettingsFilter;
import org.opensearch.core.action.ActionResponse;
import org.opensearch.core.common.io.stream.NamedWriteableRegistry;
import org.opensearch.core.xcontent.NamedXContentRegistry;
import org.opensearch.env.Environment;
import org.opensearch.env.NodeEnvironment;
import org.opensearch.plugins.ActionPlugin;
import org.opensearch.plugins.IngestPlugin;
import org.opensearch.plugins.Plugin;
import org.opensearch.plugins.SearchPipelinePlugin;
import org.opensearch.plugins.SearchPlugin;
import org.opensearch.repositories.RepositoriesService;
import org.opensearch.rest.RestController;
import org.opensearch.rest.RestHandler;
import org.opensearch.script.ScriptService;
import org.opensearch.search.pipeline.Processor;
import org.opensearch.search.pipeline.SearchRequestProcessor;
import org.opensearch.threadpool.ThreadPool;
import org.opensearch.transport.client.Client;
import org.opensearch.watcher.ResourceWatcherService;
import org.rankside.client.Sidecars;
import org.rankside.opensearch.ingest.EmbeddingFactory;
import org.rankside.opensearch.node.NodeSettings;
import org.rankside.opensearch.search.AskingFactory;
import org.rankside.opensearch.search.Cancellations;
import org.rankside.opensearch.search.IndexCatalogue;
import org.rankside.opensearch.search.RanksideExt;
import org.rankside.opensearch.search.RerankFilter;
import org.rankside.opensearch.search.RerankProcessor;
import org.rankside.opensearch.search.Reranker;
import org.rankside.opensearch.search.TaskEvents;
import org.rankside.opensearch.stats.RestStatsAction;
import org.rankside.opensearch.stats.StatsAction;
import org.rankside.opensearch.stats.TransportStatsAction;
import org.rankside.opensearch.vector.VectorQueryBuilder;

/** Where the engine is told what this plugin adds to it. */
public final class RanksidePlugin extends Plugin
        implements SearchPlugin, ActionPlugin, SearchPipelinePlugin, IngestPlugin {
    private volatile Sidecars sidecars;
    private volatile Reranker reranker;
    private volatile ThreadPool threads;

    @Override
    public List<Setting<?>> getSettings() {
        return NodeSettings.all();
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
    public Collection<Object> createComponents(
            Client client,
            ClusterService clusterService,
            ThreadPool threadPool,
            ResourceWatcherService resourceWatcherService,
            ScriptService scriptService,
            NamedXContentRegistry xContentRegistry,
            Environment environment,
            NodeEnvironment nodeEnvironment,
            NamedWriteableRegistry namedWriteableRegistry,
            IndexNameExpressionResolver indexNameExpressionResolver,
            Supplier<RepositoriesService> repositoriesServiceSupplier) {
        threads = threadPool;
        sidecars = NodeSettings.sidecars(environment, threadPool.generic());
        Cancellations cancellations = new Cancellations();
        IndexCatalogue catalogue =
                new IndexCatalogue(
                        clusterService, indexNameExpressionResolver, namedWriteableRegistry);
        AskingFactory askings =
                new AskingFactory(
                        client, clusterService, threadPool, sidecars, catalogue, cancellations);
        reranker = new Reranker(askings, sidecars.stats());
        return List.of(sidecars, cancellations);
    }

    @Override
    public Collection<Class<? extends LifecycleComponent>> getGuiceServiceClasses() {
        return List.of(TaskEvents.class);
    }

    @Override
    public List<SearchExtSpec<?>> getSearchExts() {
        return List.of(
                new SearchExtSpec<>(RanksideExt.NAME, RanksideExt::new, RanksideExt::parse));
    }

    @Override
    public List<ActionFilter> getActionFilters() {
        return List.of(new RerankFilter(() -> reranker, () -> threads.getThreadContext()));
    }

    @Override
    public Map<String, Processor.Factory<SearchRequestProcessor>> getRequestProcessors(
            Parameters parameters) {
        return Map.of(
                RerankProcessor.TYPE,
                new RerankProcessor.Factory(() -> reranker, () -> sidecars, parameters.threadContext));
    }

    @Override
    public List<ActionHandler<? extends ActionRequest, ? extends ActionResponse>> getActions() {
        return List.of(new ActionHandler<>(StatsAction.INSTANCE, TransportStatsAction.class));
    }

    @Override
    public List<RestHandler> getRestHandlers(
            Settings settings,
            RestController restController,
            ClusterSettings clusterSettings,
            IndexScopedSettings indexScopedSettings,
            SettingsFilter settingsFilter,
            IndexNameExpressionResolver indexNameExpressionResolver,
            Supplier<DiscoveryNodes> nodesInCluster) {
        return List.of(new RestStatsAction());
    }

    @Override
    public Map<String, org.opensearch.ingest.Processor.Factory> getProcessors(
            org.opensearch.ingest.Processor.Parameters parameters) {
        return EmbeddingFactory.all(parameters, () -> sidecars);
    }

    @Override
    public void close() {
        if (sidecars != null) { // the start may have failed before
            sidecars.close();
        }
    }
}
