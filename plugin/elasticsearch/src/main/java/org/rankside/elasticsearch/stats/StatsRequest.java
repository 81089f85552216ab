package org.rankside.elasticsearch.stats;

import org.elasticsearch.action.support.nodes.BaseNodesRequest;

/** Which nodes are asked; none named: all. Stays on the node that is asked for all of them. */
public final class StatsRequest extends BaseNodesRequest {
    /** For these nodes, named as the engine's own APIs name them. */
    public StatsRequest(String... nodes) {
        super(nodes);
    }
}
