package org.rankside.elasticsearch.stats;

import java.io.IOException;
import java.util.List;
import org.elasticsearch.action.FailedNodeException;
import org.elasticsearch.action.support.ActionFilters;
import org.elasticsearch.action.support.nodes.TransportNodesAction;
import org.elasticsearch.cluster.node.DiscoveryNode;
import org.elasticsearch.cluster.service.ClusterService;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.injection.guice.Inject;
import org.elasticsearch.tasks.Task;
import org.elasticsearch.threadpool.ThreadPool;
import org.elasticsearch.transport.AbstractTransportRequest;
import org.elasticsearch.transport.TransportService;
import org.rankside.client.Sidecars;

/** Answers {@link StatsAction} on every node that is asked. */
public final class TransportStatsAction
        extends TransportNodesAction<
                StatsRequest, StatsResponse, TransportStatsAction.NodeRequest, NodeStats, Void> {
    private final Sidecars sidecars;

    /** What one node is asked: nothing but to answer. */
    public static final class NodeRequest extends AbstractTransportRequest {
        NodeRequest() {}

        NodeRequest(StreamInput in) throws IOException {
            super(in);
        }
    }

    /** Called by the engine, which fills in what it has. */
    @Inject
    public TransportStatsAction(
            ThreadPool threads,
            ClusterService cluster,
            TransportService transport,
            ActionFilters filters,
            Sidecars sidecars) {
        super(
                StatsAction.NAME,
                cluster,
                transport,
                filters,
                NodeRequest::new,
                threads.executor(ThreadPool.Names.MANAGEMENT));
        this.sidecars = sidecars;
    }

    @Override
    protected StatsResponse newResponse(
            StatsRequest request, List<NodeStats> nodes, List<FailedNodeException> failures) {
        return new StatsResponse(clusterService.getClusterName(), nodes, failures);
    }

    @Override
    protected NodeRequest newNodeRequest(StatsRequest request) {
        return new NodeRequest();
    }

    @Override
    protected NodeStats newNodeResponse(StreamInput in, DiscoveryNode node) throws IOException {
        return new NodeStats(in, node);
    }

    @Override
    protected NodeStats nodeOperation(NodeRequest request, Task task) {
        return new NodeStats(clusterService.localNode(), sidecars.state());
    }
}
