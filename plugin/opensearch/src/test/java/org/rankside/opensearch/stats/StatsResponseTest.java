package org.rankside.opensearch.stats;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.opensearch.Version;
import org.opensearch.action.FailedNodeException;
import org.opensearch.cluster.ClusterName;
import org.opensearch.cluster.node.DiscoveryNode;
import org.opensearch.common.io.stream.BytesStreamOutput;
import org.opensearch.common.xcontent.json.JsonXContent;
import org.opensearch.core.common.io.stream.Writeable;
import org.opensearch.core.common.transport.TransportAddress;
import org.opensearch.core.xcontent.ToXContent;
import org.opensearch.core.xcontent.XContentBuilder;
import org.opensearch.rest.action.RestActions;
import org.rankside.client.Latency;
import org.rankside.client.SidecarState;
import org.rankside.client.Stats;
import org.rankside.opensearch.OpenSearchJson;

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

    /** So many calls in the last bucket. */
    private static Latency latency(long count, long nanos) {
        List<Long> buckets = new ArrayList<>(Collections.nCopies(Latency.BOUNDS.size(), 0L));
        buckets.add(count);
        return new Latency(buckets, nanos);
    }

    private static DiscoveryNode node(String id) {
        TransportAddress address = new TransportAddress(TransportAddress.META_ADDRESS, 9300);
        return new DiscoveryNode("name-" + id, id, address, Map.of(), Set.of(), Version.CURRENT);
    }

    private static StatsResponse response() {
        return new StatsResponse(
                new ClusterName("books"),
                List.of(new NodeStats(node("a"), BUSY), new NodeStats(node("b"), IDLE)),
                List.of(new FailedNodeException("c", "it has no such action", null)));
    }

    private static <T extends Writeable> T copied(T original, Writeable.Reader<T> reader)
            throws IOException {
        try (BytesStreamOutput out = new BytesStreamOutput()) {
            original.writeTo(out);
            return reader.read(out.bytes().streamInput());
        }
    }

    private static Map<String, Object> shown(StatsResponse response) throws IOException {
        try (XContentBuilder builder = JsonXContent.contentBuilder()) {
            var rest = RestActions.nodesResponse(builder, ToXContent.EMPTY_PARAMS, response);
            return new OpenSearchJson().read(rest.content().toBytesRef().bytes);
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
        StatsResponse copy = copied(response(), StatsResponse::new);
        assertEquals(new ClusterName("books"), copy.getClusterName());
        assertEquals(
                List.of(BUSY, IDLE), copy.getNodes().stream().map(NodeStats::state).toList());
        assertEquals("name-b", copy.getNodes().getLast().getNode().getName());
        assertEquals("c", copy.failures().getFirst().nodeId());
    }

    @Test
    void aRequestKeepsTheNodesItIsFor() throws IOException {
        assertArrayEquals(
                new String[] {"a", "_local"},
                copied(new StatsRequest("a", "_local"), StatsRequest::new).nodesIds());
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
