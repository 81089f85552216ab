package org.rankside.opensearch.stats;

import java.io.IOException;
import java.util.List;
import org.opensearch.action.FailedNodeException;
import org.opensearch.action.support.nodes.BaseNodesResponse;
import org.opensearch.cluster.ClusterName;
import org.opensearch.core.common.io.stream.StreamInput;
import org.opensearch.core.common.io.stream.StreamOutput;
import org.opensearch.core.xcontent.ToXContentFragment;
import org.opensearch.core.xcontent.XContentBuilder;
import org.rankside.client.Stats;
import org.rankside.client.StatsJson;

/** What the nodes answered, one by one and together. */
public final class StatsResponse extends BaseNodesResponse<NodeStats> implements ToXContentFragment {
    StatsResponse(StreamInput in) throws IOException {
        super(in);
    }

    StatsResponse(ClusterName cluster, List<NodeStats> nodes, List<FailedNodeException> failures) {
        super(cluster, nodes, failures);
    }

    @Override
    protected List<NodeStats> readNodesFrom(StreamInput in) throws IOException {
        return in.readList(NodeStats::new);
    }

    @Override
    protected void writeNodesTo(StreamOutput out, List<NodeStats> nodes) throws IOException {
        out.writeList(nodes);
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
