package org.rankside.opensearch.search;

import org.opensearch.search.SearchHit;

/** Where a hit is kept: ids are unique only within an index. */
record Place(String index, String id) {
    static Place of(SearchHit hit) {
        return new Place(hit.getIndex(), hit.getId());
    }

    /** The name a hit has in calls of the sidecar. */
    String name() {
        return index + "/" + id;
    }
}
