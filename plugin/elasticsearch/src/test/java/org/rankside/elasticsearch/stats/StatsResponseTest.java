package org.rankside.elasticsearch.stats;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.elasticsearch.action.FailedNodeException;
import org.elasticsearch.cluster.ClusterName;
import org.elasticsearch.cluster.node.DiscoveryNode;
import org.elasticsearch.cluster.node.VersionInformation;
import org.elasticsearch.common.bytes.BytesReference;
import org.elasticsearch.common.io.stream.BytesStreamOutput;
import org.elasticsearch.common.transport.TransportAddress;
import org.elasticsearch.rest.action.RestActions;
import org.elasticsearch.xcontent.ToXContent;
import org.elasticsearch.xcontent.XContentBuilder;
import org.elasticsearch.xcontent.json.JsonXContent;
import org.junit.jupiter.api.Test;
import org.rankside.client.Latency;
import org.rankside.client.SidecarState;
import org.rankside.client.Stats;
import org.rankside.elasticsearch.ElasticsearchJson;

class StatsResponseTest {
    private static final SidecarState BUSY =
            new SidecarState(
                    3,
                    64,
                    Map.of("http://a:8080", "open", "http://b:8080", "half_open"),
                    new SidecarState.Documents(2, Map.of("http://a:8080", "closed")),
                    new Stats.Snapshot(
                            Map.of("listwise", Map.of("answered", 2L, "deadline", 1L)),
                            Map.of("reranked", 2L, "passed_through", 1L),
                            Map.of("passed_through", Map.of("deadline", 1L)),
                            Map.of("listwise", latency(2, 41_500_000))));
    private static final SidecarState IDLE =
            new SidecarState(
                    0,
                    8,
                    Map.of(),
                    new SidecarState.Documents(0, Map.of()),
                    new Stats.Snapshot(
                            Map.of("listwise", Map.of("answered", 1L)),
                            Map.of("reranked", 1L),
                            Map.of(),
                            Map.of("listwise", latency(1, 500_000))));

    private static final DiscoveryNode BUSY_NODE = node("a");

    /** So many calls in the last bucket. */
    private static Latency latency(long count, long nanos) {
        List<Long> buckets = new ArrayList<>(Collections.nCopies(Latency.BOUNDS.size(), 0L));
        buckets.add(count);
        return new Latency(buckets, nanos);
    }

    private static DiscoveryNode node(String id) {
        TransportAddress address = new TransportAddress(TransportAddress.META_ADDRESS, 9300);
        return new DiscoveryNode("name-" + id, id, address, Map.of(), Set.of(), VersionInformation.CURRENT);
    }

    private static StatsResponse response() {
        return new StatsResponse(
                new ClusterName("books"),
                List.of(new NodeStats(BUSY_NODE, BUSY), new NodeStats(node("b"), IDLE)),
                List.of(new FailedNodeException("c", "it has no such action", null)));
    }

    private static Map<String, Object> shown(StatsResponse response) throws IOException {
        try (XContentBuilder builder = JsonXContent.contentBuilder()) {
            var rest = RestActions.nodesResponse(builder, ToXContent.EMPTY_PARAMS, response);
            return new ElasticsearchJson().read(BytesReference.toBytes(rest.content()));
        }
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> at(Map<String, Object> object, String... path) {
        Map<String, Object> found = object;
        for (String name : path) {
            found = (Map<String, Object>) found.get(name);
        }
        return found;
    }

    @Test
    void whatIsSentBetweenNodesArrives() throws IOException {
        for (DiscoveryNode known : new DiscoveryNode[] {null, BUSY_NODE}) {
            try (BytesStreamOutput out = new BytesStreamOutput()) {
                new NodeStats(BUSY_NODE, BUSY).writeTo(out);
                NodeStats copy = new NodeStats(out.bytes().streamInput(), known);
                assertEquals(BUSY, copy.state());
                assertEquals(BUSY_NODE, copy.getNode());
            }
        }
    }

    @Test
    void aRequestIsForTheNodesThatItNames() {
        assertArrayEquals(new String[] {"a", "_local"}, new StatsRequest("a", "_local").nodesIds());
    }

    @Test
    void itHasTheShapeOfTheEnginesOwn() throws IOException {
        Map<String, Object> shown = shown(response());
        assertEquals(Set.of("_nodes", "cluster_name", "_all", "nodes"), shown.keySet());
        assertEquals(3, at(shown, "_nodes").get("total"));
        assertEquals(1, at(shown, "_nodes").get("failed"));
        assertEquals("books", shown.get("cluster_name"));
        assertEquals(Set.of("a", "b"), at(shown, "nodes").keySet());
    }

    @Test
    void aNodeIsShownByItsName() throws IOException {
        Map<String, Object> node = at(shown(response()), "nodes", "a");
        assertEquals("name-a", node.get("name"));
        assertEquals(3, node.get("in_flight"));
        assertEquals(2, at(node, "searches").get("reranked"));
    }

    @Test
    void theNodesAreAddedUp() throws IOException {
        Map<String, Object> all = at(shown(response()), "_all");
        assertEquals(Map.of("answered", 3, "deadline", 1), at(all, "calls", "listwise"));
        assertEquals(3, at(all, "searches").get("reranked"));
        assertEquals(42.0, at(all, "latency_ms", "listwise").get("sum"));
    }
}
