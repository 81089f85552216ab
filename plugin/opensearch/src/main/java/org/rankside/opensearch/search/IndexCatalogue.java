package org.rankside.opensearch.search;

import java.util.Map;
import java.util.TreeMap;
import org.opensearch.action.search.SearchContextId;
import org.opensearch.action.search.SearchRequest;
import org.opensearch.cluster.ClusterState;
import org.opensearch.cluster.metadata.IndexMetadata;
import org.opensearch.cluster.metadata.IndexNameExpressionResolver;
import org.opensearch.cluster.service.ClusterService;
import org.opensearch.core.common.io.stream.NamedWriteableRegistry;
import org.rankside.search.IndexFacts;
import org.rankside.search.KeptFacts;
import org.rankside.search.PassThrough;

/** Mappings, from the cluster state that every node has: nothing is asked for them. */
public final class IndexCatalogue {
    private final ClusterService cluster;
    private final IndexNameExpressionResolver names;
    private final NamedWriteableRegistry registry;
    private final KeptFacts kept = new KeptFacts();

    /** Of the cluster at hand. */
    public IndexCatalogue(
            ClusterService cluster,
            IndexNameExpressionResolver names,
            NamedWriteableRegistry registry) {
        this.cluster = cluster;
        this.names = names;
        this.registry = registry;
    }

    /**
     * The indices that {@code request} searches, by name; none where there are none.
     *
     * @throws PassThrough some are of another cluster, or a mapping is broken
     */
    Map<String, IndexFacts> facts(SearchRequest request) {
        ClusterState state = cluster.state();
        Map<String, IndexFacts> found = new TreeMap<>();
        for (String name : concrete(state, request)) {
            IndexMetadata index = state.metadata().index(name);
            if (index != null) {
                found.put(name, facts(index));
            }
        }
        return found;
    }

    private String[] concrete(ClusterState state, SearchRequest request) {
        boolean pit = request.pointInTimeBuilder() != null;
        String[] wanted =
                pit
                        ? SearchContextId.decode(registry, request.pointInTimeBuilder().getId())
                                .getActualIndices()
                        : request.indices();
        for (String one : wanted) {
            if (isRemote(one)) {
                throw new PassThrough(
                        "remote_indices",
                        one + " is of another cluster, whose mapping is not known here; search it"
                                + " there, or through the client side");
            }
        }
        return pit ? wanted : names.concreteIndexNames(state, request);
    }

    private static Map<String, Object> mapping(IndexMetadata index) {
        return index.mapping() == null ? Map.of() : index.mapping().sourceAsMap();
    }

    private static boolean isRemote(String name) {
        return name.indexOf(':') > 0 && !name.startsWith("<"); // whose colon is of a time zone
    }

    private IndexFacts facts(IndexMetadata index) {
        return kept.of(
                index.getIndex().getName(),
                index.getIndexUUID(),
                index.getMappingVersion(),
                () -> mapping(index));
    }
}
