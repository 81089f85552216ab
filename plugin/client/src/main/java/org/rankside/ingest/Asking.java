package org.rankside.ingest;

import java.net.URI;
import java.time.Duration;
import java.util.List;

/**
 * How a processor asks the sidecar.
 *
 * @param addresses tried in turn
 * @param auth name of a key in the keystore, or null
 * @param timeout of one call
 * @param batchSize texts of one call at most
 * @param maxConcurrent calls of these addresses that this node makes at once
 * @param retryFor how long a sidecar that is too busy (429) or not ready (503) is tried again
 * @param linger how long a text waits for others to travel with it, where the engine hands documents
 *     over one by one
 */
public record Asking(
        List<URI> addresses,
        String auth,
        Duration timeout,
        int batchSize,
        int maxConcurrent,
        Duration retryFor,
        Duration linger) {}
