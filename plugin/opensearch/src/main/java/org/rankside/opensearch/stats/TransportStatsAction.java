package org.rankside.opensearch.stats;

import java.io.IOException;
import java.util.List;
import org.opensearch.action.FailedNodeException;
import org.opensearch.action.support.ActionFilters;
import org.opensearch.action.support.nodes.TransportNodesAction;
import org.opensearch.cluster.service.ClusterService;
import org.opensearch.common.inject.Inject;
import org.opensearch.core.common.io.stream.StreamInput;
import org.opensearch.threadpool.ThreadPool;
import org.opensearch.transport.TransportRequest;
import org.opensearch.transport.TransportService;
import org.rankside.client.Sidecars;

/** Answers {@link StatsAction} on every node that is asked. */
public final class TransportStatsAction
        extends TransportNodesAction<
                StatsRequest, StatsResponse, TransportStatsAction.NodeRequest, NodeStats> {
    private final Sidecars sidecars;

    /** What one node is asked: nothing but to answer. */
    public static final class NodeRequest extends TransportRequest {
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
                threads,
                cluster,
                transport,
                filters,
                StatsRequest::new,
                NodeRequest::new,
                ThreadPool.Names.MANAGEMENT,
                NodeStats.class);
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
    protected NodeStats newNodeResponse(StreamInput in) throws IOException {
        return new NodeStats(in);
    }

    @Override
    protected NodeStats nodeOperation(NodeRequest request) {
        return new NodeStats(clusterService.localNode(), sidecars.state());
    }
}
