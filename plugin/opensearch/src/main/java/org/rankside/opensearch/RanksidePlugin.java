package org.rankside.opensearch;

import java.util.Collection;
import java.util.List;
import java.util.function.Supplier;
import org.opensearch.cluster.metadata.IndexNameExpressionResolver;
import org.opensearch.cluster.service.ClusterService;
import org.opensearch.common.settings.Setting;
import org.opensearch.core.common.io.stream.NamedWriteableRegistry;
import org.opensearch.core.xcontent.NamedXContentRegistry;
import org.opensearch.env.Environment;
import org.opensearch.env.NodeEnvironment;
import org.opensearch.plugins.Plugin;
import org.opensearch.plugins.SearchPlugin;
import org.opensearch.repositories.RepositoriesService;
import org.opensearch.script.ScriptService;
import org.opensearch.threadpool.ThreadPool;
import org.opensearch.transport.client.Client;
import org.opensearch.watcher.ResourceWatcherService;
import org.rankside.opensearch.node.NodeSettings;
import org.rankside.opensearch.node.Sidecars;
import org.rankside.opensearch.vector.VectorQueryBuilder;

/** Where the engine is told what this plugin adds to it. */
public final class RanksidePlugin extends Plugin implements SearchPlugin {
    private volatile Sidecars sidecars;

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
        sidecars = new Sidecars(environment, threadPool);
        return List.of(sidecars);
    }
}
