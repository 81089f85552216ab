package org.rankside.opensearch.stats;

import java.io.IOException;
import java.util.TreeMap;
import org.opensearch.action.support.nodes.BaseNodeResponse;
import org.opensearch.cluster.node.DiscoveryNode;
import org.opensearch.core.common.io.stream.StreamInput;
import org.opensearch.core.common.io.stream.StreamOutput;
import org.opensearch.core.xcontent.ToXContentFragment;
import org.opensearch.core.xcontent.XContentBuilder;
import org.rankside.client.SidecarState;

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
        builder.startObject(getNode().getId());
        builder.field("name", getNode().getName());
        builder.field("in_flight", state.inFlight());
        builder.field("max_in_flight", state.maxInFlight());
        builder.field("circuits", new TreeMap<>(state.circuits()));
        builder.startObject("documents");
        builder.field("in_flight", state.documents().inFlight());
        builder.field("circuits", new TreeMap<>(state.documents().circuits()));
        builder.endObject();
        Counts.toXContent(builder, state.counts());
        return builder.endObject();
    }
}
