package org.rankside.client;

import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Iterator;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.function.Supplier;
import javax.net.ssl.SSLException;

/** One {@link Request} on its way from address to address. */
final class Exchange<T> {
    private static final int SHOWN = 200;
    // A search may bring a timeout of its own, which any sidecar would miss.
    private static final Duration HASTE = Duration.ofMillis(100);

    private final HttpClient http;
    private final Supplier<LimitedBody> bodies;
    private final Function<URI, CircuitBreaker> circuits;
    private final Request<T> asked;
    private final Iterator<URI> addresses;
    private final CompletableFuture<T> answer = new CompletableFuture<>();
    private final AtomicReference<Attempt> underWay = new AtomicReference<>();
    private SidecarException last = allOpen();
    private Duration again; // the shortest wait that an address too busy for now has asked for

    /** A request that was sent, until something is known of it. */
    private record Attempt(
            URI address,
            CircuitBreaker circuit,
            CompletableFuture<HttpResponse<byte[]>> response,
            LimitedBody body,
            boolean again) {}

    Exchange(
            HttpClient http,
            Supplier<LimitedBody> bodies,
            Function<URI, CircuitBreaker> circuits,
            Request<T> asked) {
        this.http = http;
        this.bodies = bodies;
        this.circuits = circuits;
        this.asked = asked;
        this.addresses = asked.addresses().iterator();
    }

    /** No address lets a call through. */
    static SidecarException allOpen() {
        return new SidecarException(
                Reason.CIRCUIT_OPEN,
                "the sidecar failed several times in a row and is not asked for a while; see its log"
                        + " and the node's");
    }

    /** The answer to be; it fails when no address is left. */
    CompletableFuture<T> start() {
        next();
        return answer;
    }

    /** The answer is there, or nobody waits for it any more: {@code error} says which. */
    void end(Throwable error) {
        Attempt attempt = underWay.getAndSet(null);
        if (attempt == null) {
            return;
        }
        if (error instanceof TimeoutException && asked.timeout().compareTo(HASTE) >= 0) {
            attempt.circuit.failed();
        } else {
            attempt.circuit.abandoned();
        }
        attempt.response.cancel(true);
        attempt.body.close();
    }

    private void next() {
        while (addresses.hasNext()) {
            URI address = addresses.next();
            CircuitBreaker circuit = circuits.apply(address);
            if (circuit.tryPass()) {
                send(address, circuit, false);
                return;
            }
        }
        answer.completeExceptionally(last.orAgainAfter(again));
    }

    private void send(URI address, CircuitBreaker circuit, boolean again) {
        LimitedBody body = bodies.get();
        CompletableFuture<HttpResponse<byte[]>> response;
        try {
            response = http.sendAsync(request(address), head -> body);
        } catch (RuntimeException error) { // the client may throw where it could return a failure
            response = CompletableFuture.failedFuture(error);
        }
        Attempt attempt = new Attempt(address, circuit, response, body, again);
        underWay.set(attempt);
        if (answer.isDone()) { // it may have come to an end while there was nothing to end
            end(new CancellationException());
        }
        response.whenComplete(
                (head, error) -> {
                    if (underWay.compareAndSet(attempt, null)) {
                        try (body) {
                            settle(attempt, head, error);
                        }
                    }
                });
    }

    private HttpRequest request(URI address) {
        HttpRequest.Builder builder = HttpRequest.newBuilder(URI.create(address + asked.path()));
        if (asked.body() != null) {
            builder.header("Content-Type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofByteArray(asked.body()));
        }
        if (asked.key() != null) {
            builder.header("Authorization", "Bearer " + asked.key());
        }
        return builder.build();
    }

    private void settle(Attempt attempt, HttpResponse<byte[]> response, Throwable error) {
        if (error != null) {
            attempt.body.close(); // before it is tried again
            lost(attempt, error instanceof CompletionException ? error.getCause() : error);
        } else if (response.statusCode() / 100 == 2) {
            read(attempt, response.body());
        } else if (response.statusCode() == 429) {
            attempt.circuit.succeeded();
            refused(Reason.OVERLOADED, attempt, response);
            next();
        } else if (response.statusCode() >= 500) {
            attempt.circuit.failed();
            refused(Reason.SIDECAR_REJECTED, attempt, response);
            next();
        } else { // what this sidecar does not understand, another will not either
            attempt.circuit.succeeded();
            refused(Reason.SIDECAR_REJECTED, attempt, response);
            answer.completeExceptionally(last);
        }
    }

    private void refused(Reason reason, Attempt attempt, HttpResponse<byte[]> response) {
        int status = response.statusCode();
        last = new SidecarException(reason, said(attempt, response), status);
        if (status == 429 || status == 503) {
            Duration asked = RetryAfter.of(response.headers().firstValue("Retry-After").orElse(""));
            again = again == null || asked.compareTo(again) < 0 ? asked : again;
        }
    }

    private void read(Attempt attempt, byte[] body) {
        T value;
        try {
            value = asked.reader().read(body);
        } catch (IOException | RuntimeException error) {
            unusable(attempt, error);
            return;
        }
        attempt.circuit.succeeded();
        answer.complete(value);
    }

    private void unusable(Attempt attempt, Exception error) {
        attempt.circuit.failed();
        last =
                new SidecarException(
                        Reason.UNUSABLE_ANSWER,
                        "the answer of " + attempt.address + " cannot be used ("
                                + firstLine(error.getMessage())
                                + "); check that a Rankside sidecar of this version runs there",
                        error);
        next();
    }

    private void lost(Attempt attempt, Throwable error) {
        if (error instanceof LimitedBody.TooLong tooLong) {
            unusable(attempt, tooLong);
            return;
        }
        boolean connected =
                !(error instanceof ConnectException || error instanceof HttpConnectTimeoutException);
        if (connected && error instanceof IOException && !attempt.again) {
            // A kept connection may be closed by the other side just when it is used. Nothing that
            // the sidecar does is harmed by being done twice.
            send(attempt.address, attempt.circuit, true);
            return;
        }
        attempt.circuit.failed();
        last =
                new SidecarException(
                        Reason.SIDECAR_UNAVAILABLE,
                        "the sidecar at " + attempt.address + " cannot be reached (" + what(error)
                                + "); start it with `rankside serve`, or correct its url",
                        error);
        next();
    }

    /** A refused certificate says what is wrong with it; other failures say no more than their name. */
    private static String what(Throwable error) {
        String name = error.getClass().getSimpleName();
        return error instanceof SSLException ? name + ": " + error.getMessage() : name;
    }

    /** Parsers add where in their source it was. */
    private static String firstLine(String message) {
        return message == null ? "" : message.lines().findFirst().orElse("");
    }

    private static String said(Attempt attempt, HttpResponse<byte[]> response) {
        String text = new String(response.body(), StandardCharsets.UTF_8).strip();
        return "the sidecar at " + attempt.address + " answered HTTP " + response.statusCode() + ": "
                + text.substring(0, Math.min(text.length(), SHOWN));
    }
}
