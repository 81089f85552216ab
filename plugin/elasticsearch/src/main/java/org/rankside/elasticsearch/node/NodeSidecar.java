package org.rankside.elasticsearch.node;

import java.net.URI;
import java.util.List;
import org.rankside.client.Sidecars;

/**
 * The sidecar that {@code elasticsearch.yml} names, for searches and documents alike: no request says
 * where passages and keys are sent.
 *
 * @param sidecars the way to it
 * @param urls tried in turn; empty where the node has no sidecar
 * @param auth what {@link Sidecars} knows its key by; null where the keystore has none
 */
public record NodeSidecar(Sidecars sidecars, List<URI> urls, String auth) {
    /** Whether the node has a sidecar. */
    public boolean isSet() {
        return !urls.isEmpty();
    }

    /** What is to be done where it has none, for whoever wanted one. */
    public static String unset() {
        return "this node has no sidecar; set rankside.sidecar.url in elasticsearch.yml on every node"
                + " and restart them";
    }
}
