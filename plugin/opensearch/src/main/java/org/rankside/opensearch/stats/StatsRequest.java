package org.rankside.opensearch.stats;

import java.io.IOException;
import org.opensearch.action.support.nodes.BaseNodesRequest;
import org.opensearch.core.common.io.stream.StreamInput;

/** Which nodes are asked; none named: all. */
public final class StatsRequest extends BaseNodesRequest<StatsRequest> {
    /** For these nodes, named as the engine's own APIs name them. */
    public StatsRequest(String... nodes) {
        super(nodes);
    }

    StatsRequest(StreamInput in) throws IOException {
        super(in);
    }
}
