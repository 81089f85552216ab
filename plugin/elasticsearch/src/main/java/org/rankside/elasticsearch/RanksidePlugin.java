package org.rankside.elasticsearch;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.elasticsearch.cluster.node.DiscoveryNodes;
import org.elasticsearch.common.settings.Setting;
import org.elasticsearch.features.NodeFeature;
import org.elasticsearch.ingest.Processor;
import org.elasticsearch.plugins.ActionPlugin;
import org.elasticsearch.plugins.IngestPlugin;
import org.elasticsearch.plugins.Plugin;
import org.elasticsearch.rest.RestHandler;
import org.rankside.elasticsearch.ingest.EmbeddingFactory;
import org.rankside.elasticsearch.node.NodeSettings;
import org.rankside.elasticsearch.node.NodeSidecar;
import org.rankside.elasticsearch.stats.RestStatsAction;
import org.rankside.elasticsearch.stats.StatsAction;
import org.rankside.elasticsearch.stats.TransportStatsAction;

/** Where the engine is told what this plugin adds to it. */
public final class RanksidePlugin extends Plugin implements ActionPlugin, IngestPlugin {
    private volatile NodeSidecar sidecar;

    @Override
    public List<Setting<?>> getSettings() {
        return NodeSettings.all();
    }

    @Override
    public Collection<?> createComponents(PluginServices services) {
        sidecar = NodeSettings.sidecar(services.environment(), services.threadPool().generic());
        return List.of(sidecar.sidecars());
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
    public void close() {
        if (sidecar != null) { // the start may have failed before
            sidecar.sidecars().close();
        }
    }
}
