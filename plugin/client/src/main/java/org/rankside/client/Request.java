package org.rankside.client;

import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.List;

/**
 * One call of the sidecar.
 *
 * @param addresses tried in turn
 * @param path below an address, as {@code /v1/listwise}
 * @param key bearer key, or null
 * @param body JSON to POST; null: GET
 * @param timeout for all addresses together
 * @param reader makes the answer of a good response's body
 */
public record Request<T>(
        List<URI> addresses, String path, String key, byte[] body, Duration timeout, Reader<T> reader) {

    /** One that only reads. */
    public static <T> Request<T> get(
            List<URI> addresses, String path, String key, Duration timeout, Reader<T> reader) {
        return new Request<>(addresses, path, key, null, timeout, reader);
    }

    /** Reads an answer. */
    @FunctionalInterface
    public interface Reader<T> {
        /**
         * The answer in {@code bytes}.
         *
         * @throws IOException they are not what was asked for; the message goes to the user
         */
        T read(byte[] bytes) throws IOException;
    }
}
