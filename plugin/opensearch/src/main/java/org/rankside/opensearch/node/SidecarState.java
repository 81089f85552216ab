package org.rankside.opensearch.node;

import java.util.Map;
import org.rankside.client.Stats;

/**
 * How a node stands with its sidecars at one moment.
 *
 * @param inFlight calls under way
 * @param maxInFlight and how many may be
 * @param circuits closed, open or half_open, by address
 * @param counts since the node started
 */
public record SidecarState(
        int inFlight, int maxInFlight, Map<String, String> circuits, Stats.Snapshot counts) {}
