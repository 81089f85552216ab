package org.rankside.elasticsearch.stats;

import java.io.IOException;
import org.elasticsearch.action.support.nodes.BaseNodeResponse;
import org.elasticsearch.cluster.node.DiscoveryNode;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.xcontent.ToXContentFragment;
import org.elasticsearch.xcontent.XContentBuilder;
import org.rankside.client.SidecarState;
import org.rankside.client.StatsJson;

/** How one node stands with its sidecar. */
final class NodeStats extends BaseNodeResponse implements ToXContentFragment {
    private final SidecarState state;

    NodeStats(DiscoveryNode node, SidecarState state) {
        super(node);
        this.state = state;
    }

    /** {@code node} is null where it is not known before. */
    NodeStats(StreamInput in, DiscoveryNode node) throws IOException {
        super(in, node);
        this.state =
                new SidecarState(
                        in.readVInt(),
                        in.readVInt(),
                        in.readMap(StreamInput::readString),
                        new SidecarState.Documents(
                                in.readVInt(), in.readMap(StreamInput::readString)),
                        Counts.read(in));
    }

    SidecarState state() {
        return state;
    }

    @Override
    public void writeTo(StreamOutput out) throws IOException {
        super.writeTo(out);
        out.writeVInt(state.inFlight());
        out.writeVInt(state.maxInFlight());
        out.writeMap(state.circuits(), StreamOutput::writeString);
        SidecarState.Documents documents = state.documents();
        out.writeVInt(documents.inFlight());
        out.writeMap(documents.circuits(), StreamOutput::writeString);
        Counts.write(out, state.counts());
    }

    @Override
    public XContentBuilder toXContent(XContentBuilder builder, Params params) throws IOException {
        return builder.field(getNode().getId(), StatsJson.of(getNode().getName(), state));
    }
}
