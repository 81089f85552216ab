package org.rankside.opensearch.search;

import org.opensearch.Version;
import org.opensearch.cluster.ClusterName;
import org.opensearch.cluster.ClusterState;
import org.opensearch.cluster.metadata.IndexMetadata;
import org.opensearch.cluster.metadata.Metadata;
import org.opensearch.cluster.node.DiscoveryNode;
import org.opensearch.cluster.node.DiscoveryNodes;
import org.opensearch.cluster.service.ClusterService;
import org.opensearch.common.settings.ClusterSettings;
import org.opensearch.common.settings.Settings;
import org.opensearch.core.common.transport.TransportAddress;
import org.opensearch.threadpool.ThreadPool;

/** A cluster of the node {@code node} whose indices a test says. */
final class Cluster extends ClusterService {
    private static final DiscoveryNode NODE =
            new DiscoveryNode(
                    "node",
                    new TransportAddress(TransportAddress.META_ADDRESS, 9300),
                    Version.CURRENT);
    private volatile ClusterState state;

    Cluster(ThreadPool threads) {
        super(
                Settings.builder().put("node.name", "test").build(),
                new ClusterSettings(Settings.EMPTY, ClusterSettings.BUILT_IN_CLUSTER_SETTINGS),
                threads);
        has();
    }

    /** It has these indices, and no others, from now on. */
    void has(IndexMetadata.Builder... indices) {
        Metadata.Builder metadata = Metadata.builder();
        for (IndexMetadata.Builder one : indices) {
            metadata.put(one.build(), false);
        }
        state =
                ClusterState.builder(new ClusterName("test"))
                        .metadata(metadata)
                        .nodes(DiscoveryNodes.builder().add(NODE).localNodeId("node"))
                        .build();
    }

    @Override
    public ClusterState state() {
        return state;
    }
}
