package org.rankside.client;

import java.net.URI;
import java.net.http.HttpClient;
import java.util.Locale;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Calls the sidecar at its addresses, tried in turn, without ever holding a thread.
 *
 * <p>One for a node: it bounds the calls under way, and with them the connections, and what their
 * answers take of the heap, and knows of every address whether its circuit is closed. Safe for
 * concurrent use.
 */
public final class Transport implements AutoCloseable {
    // Of the heap, for answers as they are read; parsed, they take several times as much.
    private static final int SHARE = 16;

    private final SidecarSettings settings;
    private final HttpClient http;
    private final Executor completions;
    private final Stats stats;
    private final Semaphore places;
    private final AnswerMemory memory;
    private final Map<URI, CircuitBreaker> circuits = new ConcurrentHashMap<>();

    /**
     * @param completions runs what comes after a call: a pool of the engine's, so that nothing of a
     *     search runs on a thread of the HTTP client or of a timer
     * @param stats counts each call once, whatever its end
     */
    public Transport(SidecarSettings settings, Executor completions, Stats stats) {
        this(settings, completions, stats, Runtime.getRuntime().maxMemory() / SHARE);
    }

    Transport(SidecarSettings settings, Executor completions, Stats stats, long answerBytes) {
        this.settings = settings;
        this.completions = completions;
        this.stats = stats;
        this.places = new Semaphore(settings.maxInFlight());
        this.memory = new AnswerMemory(Math.max(answerBytes, settings.maxAnswerBytes()));
        HttpClient.Builder builder =
                HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_1_1)
                        .followRedirects(HttpClient.Redirect.NEVER)
                        .connectTimeout(settings.connectTimeout());
        if (settings.tls() != null) {
            builder.sslContext(settings.tls());
        }
        this.http = builder.build();
    }

    /**
     * The first good answer.
     *
     * <p>The future fails with a {@link SidecarException} and nothing else. Cancelling it ends the
     * HTTP request.
     */
    public <T> CompletableFuture<T> send(Request<T> asked) {
        if (asked.timeout().isNegative() || asked.timeout().isZero()) {
            return refused(
                    asked,
                    new SidecarException(Reason.DEADLINE, "no time is left to ask the sidecar"));
        }
        if (!places.tryAcquire()) {
            return refused(asked, tooMany());
        }
        long start = System.nanoTime();
        Exchange<T> exchange = new Exchange<>(http, this::body, this::circuit, asked);
        CompletableFuture<T> answer =
                exchange.start().orTimeout(asked.timeout().toNanos(), TimeUnit.NANOSECONDS);
        CompletableFuture<T> given = new CompletableFuture<>();
        answer.whenComplete(
                (value, error) -> {
                    exchange.end(error);
                    places.release();
                    SidecarException failure =
                            error == null ? null : SidecarException.of(error, asked.timeout());
                    count(asked, failure, System.nanoTime() - start);
                    completions.execute(() -> settle(given, value, failure));
                });
        given.whenComplete((value, error) -> answer.cancel(false));
        return given;
    }

    /**
     * Why a call would be refused now, so that nothing need be made ready for it; it is counted as
     * such a call. Empty where it would be sent.
     */
    public Optional<SidecarException> refusal(List<URI> addresses, String path) {
        SidecarException refusal = null;
        if (places.availablePermits() == 0) {
            refusal = tooMany();
        } else if (addresses.stream().map(this::circuit).noneMatch(CircuitBreaker::mayPass)) {
            refusal = Exchange.allOpen();
        }
        if (refusal != null) {
            stats.failed(path, refusal.reason());
        }
        return Optional.ofNullable(refusal);
    }

    /** Of every address asked so far, whether its circuit is closed, open or half_open. */
    public Map<String, String> circuits() {
        Map<String, String> states = new TreeMap<>();
        circuits.forEach(
                (address, circuit) ->
                        states.put(
                                address.toString(),
                                circuit.state().name().toLowerCase(Locale.ROOT)));
        return states;
    }

    /** Calls under way. */
    public int inFlight() {
        return settings.maxInFlight() - places.availablePermits();
    }

    /** Bytes of answers that are being read. */
    long answerBytes() {
        return memory.taken();
    }

    /** Ends the calls under way. */
    @Override
    public void close() {
        http.shutdownNow();
    }

    private LimitedBody body() {
        return new LimitedBody(settings.maxAnswerBytes(), memory);
    }

    private CircuitBreaker circuit(URI address) {
        return circuits.computeIfAbsent(
                address,
                any ->
                        new CircuitBreaker(
                                settings.failures(),
                                settings.openFor(),
                                settings.openForAtMost(),
                                System::nanoTime));
    }

    private void count(Request<?> asked, SidecarException failure, long nanos) {
        if (failure == null) {
            stats.answered(asked.path(), nanos);
        } else {
            stats.failed(asked.path(), failure.reason());
        }
    }

    private static <T> void settle(CompletableFuture<T> given, T value, SidecarException failure) {
        if (failure == null) {
            given.complete(value);
        } else {
            given.completeExceptionally(failure);
        }
    }

    private SidecarException tooMany() {
        return new SidecarException(
                Reason.TOO_MANY_IN_FLIGHT,
                settings.maxInFlight()
                        + " calls of the sidecar are under way on this node; add sidecars, or raise"
                        + " rankside.max_in_flight");
    }

    private <T> CompletableFuture<T> refused(Request<T> asked, SidecarException refusal) {
        stats.failed(asked.path(), refusal.reason());
        return CompletableFuture.failedFuture(refusal);
    }
}
