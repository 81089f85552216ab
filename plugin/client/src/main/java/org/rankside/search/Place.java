package org.rankside.search;

/** Where a hit is kept: ids are unique only within an index. */
public record Place(String index, String id) {
    /** The name a hit has in calls of the sidecar. */
    public String name() {
        return index + "/" + id;
    }
}
