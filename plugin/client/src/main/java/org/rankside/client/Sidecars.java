package org.rankside.client;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/**
 * The node's way to sidecars: a transport for searches and one for documents, and the keys of the
 * keystore.
 *
 * <p>Two, so that neither takes the other's places, and documents that fail do not keep searches from
 * a sidecar that is well.
 */
public final class Sidecars implements AutoCloseable {
    private final Json json;
    private final Stats stats = new Stats();
    private final Transport transport;
    private final Transport documents;
    private final ModelCards models;
    private final Map<String, String> keys;
    private final String keystoreTool;
    private final int maxInFlight;

    /**
     * @param json as the engine has it
     * @param completions runs what comes after a call: a pool of the engine's
     * @param keys bearer keys of the keystore, by name
     * @param keystoreTool of the engine, for the sentence about a key that is not there
     */
    public Sidecars(
            SidecarSettings settings,
            Json json,
            Executor completions,
            Map<String, String> keys,
            String keystoreTool) {
        this.json = json;
        this.maxInFlight = settings.maxInFlight();
        this.transport = new Transport(settings, completions, stats);
        this.documents = new Transport(settings.withSteadyCircuits(), completions, stats);
        this.models = new ModelCards(transport, json, completions, System::nanoTime);
        this.keys = Map.copyOf(keys);
        this.keystoreTool = keystoreTool;
    }

    /**
     * One call; see {@link Transport#send}. What comes after it runs on a thread of the engine's pool,
     * without the caller's thread context.
     *
     * @param auth name of a key in the keystore, or null
     */
    public <T> CompletableFuture<T> send(
            List<URI> addresses,
            String auth,
            String path,
            byte[] body,
            Duration timeout,
            Request.Reader<T> reader) {
        return transport.send(new Request<>(addresses, path, key(auth), body, timeout, reader));
    }

    /** Why a call of {@link #send} would be refused now; see {@link Transport#refusal}. */
    public Optional<SidecarException> refusal(List<URI> addresses, String path) {
        return transport.refusal(addresses, path);
    }

    /** As {@link #send}, for documents that are written rather than searched. */
    public <T> CompletableFuture<T> sendDocuments(
            List<URI> addresses,
            String auth,
            String path,
            byte[] body,
            Duration timeout,
            Request.Reader<T> reader) {
        return documents.send(new Request<>(addresses, path, key(auth), body, timeout, reader));
    }

    /**
     * The card of the encoder at these addresses; see {@link ModelCards#encoder}.
     *
     * @param auth name of a key in the keystore, or null
     */
    public CompletableFuture<Models.Card> encoder(List<URI> addresses, String auth, Duration timeout) {
        return models.encoder(addresses, key(auth), timeout);
    }

    /** The card of the LLM at these addresses, null where InsertRank is off. */
    public CompletableFuture<Models.Card> llm(List<URI> addresses, String auth, Duration timeout) {
        return models.llm(addresses, key(auth), timeout);
    }

    /** Asks for the cards anew the next time: an answer had another model's fingerprint. */
    public void forget(List<URI> addresses) {
        models.forget(addresses);
    }

    /** What this node asked and what became of its searches; each search is to be told to it once. */
    public Stats stats() {
        return stats;
    }

    /** How the node stands with them now. */
    public SidecarState state() {
        return new SidecarState(
                transport.inFlight(),
                maxInFlight,
                transport.circuits(),
                new SidecarState.Documents(documents.inFlight(), documents.circuits()),
                stats.snapshot());
    }

    /** JSON as the engine has it. */
    public Json json() {
        return json;
    }

    /**
     * Checks that the keystore has the key that a pipeline names.
     *
     * @throws IllegalArgumentException it has not
     */
    public void requireKey(String auth) {
        if (auth != null && !keys.containsKey(auth)) {
            throw new IllegalArgumentException(
                    "the keystore has no rankside.auth." + auth
                            + ".key; add it with " + keystoreTool + " on every node and restart them");
        }
    }

    private String key(String auth) {
        return auth == null ? null : keys.get(auth);
    }

    /** Ends the calls under way. */
    @Override
    public void close() {
        transport.close();
        documents.close();
    }
}
