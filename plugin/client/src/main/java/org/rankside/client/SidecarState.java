package org.rankside.client;

import java.util.Map;

/**
 * How a node stands with its sidecars at one moment.
 *
 * @param inFlight searches' calls under way
 * @param maxInFlight and how many may be; and so many of documents' calls
 * @param circuits searches': closed, open or half_open, by address
 * @param documents the same of documents that are written
 * @param counts since the node started
 */
public record SidecarState(
        int inFlight,
        int maxInFlight,
        Map<String, String> circuits,
        Documents documents,
        Stats.Snapshot counts) {

    /** How the calls stand that embed documents as they are written. */
    public record Documents(int inFlight, Map<String, String> circuits) {}
}
