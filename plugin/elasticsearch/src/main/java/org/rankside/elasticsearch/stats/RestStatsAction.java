package org.rankside.elasticsearch.stats;

import java.util.List;
import org.elasticsearch.client.internal.node.NodeClient;
import org.elasticsearch.common.Strings;
import org.elasticsearch.rest.BaseRestHandler;
import org.elasticsearch.rest.RestRequest;
import org.elasticsearch.rest.RestUtils;
import org.elasticsearch.rest.action.RestActions.NodesResponseRestListener;

/** {@code GET /_rankside/stats}, of all nodes or of some. */
public final class RestStatsAction extends BaseRestHandler {
    @Override
    public String getName() {
        return "rankside_stats";
    }

    @Override
    public List<Route> routes() {
        return List.of(
                new Route(RestRequest.Method.GET, "/_rankside/stats"),
                new Route(RestRequest.Method.GET, "/_rankside/{nodeId}/stats"));
    }

    @Override
    protected RestChannelConsumer prepareRequest(RestRequest request, NodeClient client) {
        StatsRequest stats =
                new StatsRequest(Strings.splitStringByCommaToArray(request.param("nodeId")));
        stats.setTimeout(RestUtils.getTimeout(request));
        return channel ->
                client.execute(StatsAction.INSTANCE, stats, new NodesResponseRestListener<>(channel));
    }

    @Override
    public boolean canTripCircuitBreaker() {
        return false; // it is wanted most when memory is short
    }
}
