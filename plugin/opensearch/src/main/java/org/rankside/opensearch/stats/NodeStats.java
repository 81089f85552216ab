package org.rankside.opensearch.stats;

import java.io.IOException;
import org.opensearch.action.support.nodes.BaseNodeResponse;
import org.opensearch.cluster.node.DiscoveryNode;
import org.opensearch.core.common.io.stream.StreamInput;
import org.opensearch.core.common.io.stream.StreamOutput;
import org.opensearch.core.xcontent.ToXContentFragment;
import org.opensearch.core.xcontent.XContentBuilder;
import org.rankside.client.SidecarState;
import org.rankside.client.StatsJson;

/** How one node stands with its sidecars. */
final class NodeStats extends BaseNodeResponse implements ToXContentFragment {
    private final SidecarState state;

    NodeStats(DiscoveryNode node, SidecarState state) {
        super(node);
        this.state = state;
    }

    NodeStats(StreamInput in) throws IOException {
        super(in);
        this.state =
                new SidecarState(
                        in.readVInt(),
                        in.readVInt(),
                        in.readMap(StreamInput::readString, StreamInput::readString),
                        new SidecarState.Documents(
                                in.readVInt(),
                                in.readMap(StreamInput::readString, StreamInput::readString)),
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
        out.writeMap(state.circuits(), StreamOutput::writeString, StreamOutput::writeString);
        SidecarState.Documents documents = state.documents();
        out.writeVInt(documents.inFlight());
        out.writeMap(documents.circuits(), StreamOutput::writeString, StreamOutput::writeString);
        Counts.write(out, state.counts());
    }

    @Override
    public XContentBuilder toXContent(XContentBuilder builder, Params params) throws IOException {
        return builder.field(getNode().getId(), StatsJson.of(getNode().getName(), state));
    }
}
