package org.rankside.elasticsearch.stats;

import java.io.IOException;
import java.util.List;
import org.elasticsearch.action.FailedNodeException;
import org.elasticsearch.action.support.TransportAction;
import org.elasticsearch.action.support.nodes.BaseNodesResponse;
import org.elasticsearch.cluster.ClusterName;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.xcontent.ToXContentFragment;
import org.elasticsearch.xcontent.XContentBuilder;
import org.rankside.client.Stats;
import org.rankside.client.StatsJson;

/** What the nodes answered, one by one and together. Stays on the node that asked them. */
public final class StatsResponse extends BaseNodesResponse<NodeStats> implements ToXContentFragment {
    StatsResponse(ClusterName cluster, List<NodeStats> nodes, List<FailedNodeException> failures) {
        super(cluster, nodes, failures);
    }

    @Override
    protected List<NodeStats> readNodesFrom(StreamInput in) {
        return TransportAction.localOnly();
    }

    @Override
    protected void writeNodesTo(StreamOutput out, List<NodeStats> nodes) {
        TransportAction.localOnly();
    }

    @Override
    public XContentBuilder toXContent(XContentBuilder builder, Params params) throws IOException {
        Stats.Snapshot all =
                getNodes().stream()
                        .map(node -> node.state().counts())
                        .reduce(Stats.Snapshot.EMPTY, Stats.Snapshot::plus);
        builder.field("_all", StatsJson.of(all));
        builder.startObject("nodes");
        for (NodeStats node : getNodes()) {
            node.toXContent(builder, params);
        }
        return builder.endObject();
    }
}
