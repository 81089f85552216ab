package org.rankside.opensearch.search;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.opensearch.action.OriginalIndices;
import org.opensearch.common.document.DocumentField;
import org.opensearch.core.common.bytes.BytesArray;
import org.opensearch.core.index.shard.ShardId;
import org.opensearch.search.SearchHit;
import org.opensearch.search.SearchShardTarget;
import org.rankside.search.Place;
import org.rankside.search.WindowHit;

/** Hits of an engine's response. */
final class Hits {
    private Hits() {}

    /**
     * One hit.
     *
     * @param source JSON with single quotes, or null
     * @param fields values by name
     */
    static SearchHit hit(
            String index, String id, float score, String source, Map<String, List<Object>> fields) {
        Map<String, DocumentField> found = new HashMap<>();
        fields.forEach((name, values) -> found.put(name, new DocumentField(name, values)));
        SearchHit hit = new SearchHit(0, id, found, Map.of());
        hit.score(score);
        hit.shard(
                new SearchShardTarget(
                        "node", new ShardId(index, "uuid", 0), null, OriginalIndices.NONE));
        return source == null ? hit : hit.sourceRef(new BytesArray(source.replace('\'', '"')));
    }

    /** One without anything fetched. */
    static SearchHit hit(String index, String id, float score) {
        return hit(index, id, score, null, Map.of());
    }

    /** A hit of a window, of the index {@code i}, of which nothing is known but its score. */
    static WindowHit windowHit(String id, float score) {
        return new WindowHit(new Place("i", id), score, null, null, null);
    }

    /** The ids of {@code hits}. */
    static List<String> ids(List<WindowHit> hits) {
        return hits.stream().map(one -> one.place().id()).toList();
    }
}
