package org.rankside.client;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import javax.net.ssl.SSLContext;

/**
 * Where the sidecar is and how a node protects itself from it.
 *
 * @param connectTimeout for one address, TLS handshake included, before the next is tried
 * @param maxInFlight calls under way on this node; more are refused at once
 * @param maxAnswerBytes longest answer that is read
 * @param failures in a row that open an address's circuit
 * @param openFor how long a circuit stays open the first time
 * @param openForAtMost and how long when it keeps failing
 * @param tls null: the JDK's own certificates
 */
public record SidecarSettings(
        Duration connectTimeout,
        int maxInFlight,
        int maxAnswerBytes,
        int failures,
        Duration openFor,
        Duration openForAtMost,
        SSLContext tls) {

    /** What a node starts with. */
    public static final SidecarSettings DEFAULTS =
            new SidecarSettings(
                    Duration.ofMillis(500),
                    64,
                    16 << 20,
                    5,
                    Duration.ofSeconds(2),
                    Duration.ofSeconds(60),
                    null);

    /**
     * These, with circuits that stay open no longer when an address keeps failing: documents that are
     * refused meanwhile have to be written again, where a search has its first stage's order.
     */
    public SidecarSettings withSteadyCircuits() {
        return new SidecarSettings(
                connectTimeout, maxInFlight, maxAnswerBytes, failures, openFor, openFor, tls);
    }

    /**
     * The addresses in {@code urls}, without a slash at the end.
     *
     * @throws IllegalArgumentException none is given, or one is not an http or https URL
     */
    public static List<URI> addresses(List<String> urls) {
        if (urls.isEmpty()) {
            throw new IllegalArgumentException("url is empty; name at least one sidecar");
        }
        return urls.stream().map(SidecarSettings::address).distinct().toList();
    }

    private static URI address(String url) {
        URI uri;
        try {
            uri = URI.create(url.strip().replaceAll("/+$", ""));
        } catch (IllegalArgumentException error) {
            throw new IllegalArgumentException("url [" + url + "] cannot be read", error);
        }
        if (uri.getUserInfo() != null) { // whose password is not repeated
            throw new IllegalArgumentException(
                    "url has credentials in it; a key belongs in the engine's keystore");
        }
        boolean http = Objects.equals(uri.getScheme(), "http") || Objects.equals(uri.getScheme(), "https");
        if (!http || uri.getHost() == null) {
            throw new IllegalArgumentException("url [" + url + "] is not like http://127.0.0.1:8080");
        }
        return uri;
    }
}
