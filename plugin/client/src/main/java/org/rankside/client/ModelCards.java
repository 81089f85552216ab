package org.rankside.client;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.LongSupplier;

/**
 * What runs in the sidecars, asked once and kept for a minute.
 *
 * <p>The first who ask wait for one call that they share; later ones get what is known at once, and
 * an old answer is renewed behind their backs. A call that failed is not kept. Safe for concurrent
 * use.
 */
public final class ModelCards {
    private static final long KEPT = Duration.ofMinutes(1).toNanos();
    // A call has at least this long, whatever its first asker has: what it brings is for all.
    private static final Duration AT_LEAST = Duration.ofSeconds(1);
    // Addresses come from pipelines, which come and go: their number has no bound.
    private static final int PLACES = 256;

    private final Transport transport;
    private final Json json;
    private final Executor completions;
    private final LongSupplier nanos;
    private final Map<Place, Known> places = new ConcurrentHashMap<>();

    private record Place(List<URI> addresses, String key) {}

    /**
     * @param completions runs what comes after a wait; the transport's own
     * @param nanos a clock that never goes back, as {@link System#nanoTime}
     */
    public ModelCards(Transport transport, Json json, Executor completions, LongSupplier nanos) {
        this.transport = transport;
        this.json = json;
        this.completions = completions;
        this.nanos = nanos;
    }

    /**
     * The card of the encoder.
     *
     * <p>The future fails with a {@link SidecarException} and nothing else; it may be cancelled
     * without harm to others who wait.
     *
     * @param key bearer key, or null
     * @param timeout how long the caller waits where nothing is known yet
     */
    public CompletableFuture<Models.Card> encoder(List<URI> addresses, String key, Duration timeout) {
        return card(new Place(addresses, key), timeout, Models::encoder);
    }

    /** The card of the LLM, null where InsertRank is off; otherwise as {@link #encoder}. */
    public CompletableFuture<Models.Card> llm(List<URI> addresses, String key, Duration timeout) {
        return card(new Place(addresses, key), timeout, Models::llm);
    }

    /** Asks anew the next time: the sidecar was seen to run another model. */
    public void forget(List<URI> addresses) {
        places.keySet().removeIf(place -> place.addresses.equals(addresses));
    }

    private CompletableFuture<Models.Card> card(
            Place place, Duration timeout, Function<Models, Models.Card> which) {
        if (places.size() >= PLACES && !places.containsKey(place)) {
            places.clear();
        }
        CompletableFuture<Models> models = places.computeIfAbsent(place, Known::new).models(timeout);
        CompletableFuture<Models.Card> given = new CompletableFuture<>();
        if (models.isDone()) {
            models.whenComplete((value, error) -> settle(given, value, error, which, timeout));
            return given;
        }
        CompletableFuture<Models> waited =
                models.copy().orTimeout(timeout.toNanos(), TimeUnit.NANOSECONDS);
        waited.whenCompleteAsync(
                (value, error) -> settle(given, value, error, which, timeout), completions);
        given.whenComplete((value, error) -> waited.cancel(false));
        return given;
    }

    private static void settle(
            CompletableFuture<Models.Card> given,
            Models models,
            Throwable error,
            Function<Models, Models.Card> which,
            Duration timeout) {
        if (error == null) {
            given.complete(which.apply(models));
        } else {
            given.completeExceptionally(SidecarException.of(error, timeout));
        }
    }

    /** What is known of one list of addresses. */
    private final class Known {
        private final Place place;
        private Models models;
        private long due;
        private CompletableFuture<Models> underWay;

        Known(Place place) {
            this.place = place;
        }

        synchronized CompletableFuture<Models> models(Duration timeout) {
            CompletableFuture<Models> call = underWay;
            if (call == null && (models == null || nanos.getAsLong() - due >= 0)) {
                call = ask(timeout.compareTo(AT_LEAST) > 0 ? timeout : AT_LEAST);
                underWay = call.isDone() ? null : call;
            }
            return models == null ? call : CompletableFuture.completedFuture(models);
        }

        private CompletableFuture<Models> ask(Duration timeout) {
            return transport
                    .send(
                            Request.get(
                                    place.addresses,
                                    Models.PATH,
                                    place.key,
                                    timeout,
                                    body -> Models.read(json.read(body))))
                    .whenComplete((read, error) -> settle(read));
        }

        private synchronized void settle(Models read) {
            underWay = null;
            models = read == null ? models : read;
            due = nanos.getAsLong() + KEPT; // also after a failure: one a minute is enough of them
        }
    }
}
