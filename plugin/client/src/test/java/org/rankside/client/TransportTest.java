package org.rankside.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(30)
class TransportTest {
    private static final Duration LONG = Duration.ofSeconds(20);
    private static final Duration SHORT = Duration.ofMillis(200);

    private final ExecutorService completions =
            Executors.newSingleThreadExecutor(run -> new Thread(run, "completions"));
    private final List<AutoCloseable> open = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable one : open) {
            one.close();
        }
        completions.shutdownNow();
    }

    @Test
    void anAnswerIsReadAndGivenOnTheEnginesThread() throws Exception {
        Fake fake = fake(Fake.says(200, "{\"a\":1}"));
        Transport transport = transport(64, 5, 2000);
        CompletableFuture<String> thread =
                transport.send(post(LONG, fake.address())).thenApply(any -> Thread.currentThread().getName());
        assertEquals("completions", thread.get());
        assertEquals(List.of("{}"), fake.bodies);
        assertEquals(List.of("Bearer key"), fake.keys);
        assertEquals(List.of("POST /v1/listwise"), fake.asked);
        assertEquals(0, transport.inFlight());
    }

    @Test
    void withoutABodyItIsAGet() throws Exception {
        Fake fake = fake(Fake.says(200, "good"));
        Request<String> request =
                Request.get(List.of(fake.address()), "/v1/models", null, LONG, String::new);
        assertEquals("good", transport(64, 5, 2000).send(request).get());
        assertEquals(List.of("GET /v1/models"), fake.asked);
    }

    @Test
    void theNextAddressIsTriedWhereOneIsDown() throws Exception {
        Fake good = fake(Fake.says(200, "good"));
        Fake broken = fake(Fake.says(500, "broken"));
        Transport transport = transport(64, 5, 2000);
        assertEquals(
                "good", transport.send(post(LONG, Fake.nowhere(), broken.address(), good.address())).get());
        assertEquals(1, broken.bodies.size());
    }

    @ParameterizedTest
    @CsvSource({
        "429, OVERLOADED", "500, SIDECAR_REJECTED", "503, SIDECAR_REJECTED", "400, SIDECAR_REJECTED",
        "302, SIDECAR_REJECTED"
    })
    void anErrorAnswerIsTranslated(int status, Reason reason) throws Exception {
        Fake fake = fake(Fake.says(status, "the model is away"));
        SidecarException error = failure(transport(64, 5, 2000), post(LONG, fake.address()));
        assertEquals(reason, error.reason());
        assertTrue(error.getMessage().endsWith("HTTP " + status + ": the model is away"));
    }

    @ParameterizedTest
    @CsvSource({
        "429, 7, 7000", "503, 1.5, 1500", "503, soon, 0", "429, , 0", "500, 7, ", "422, 7, ",
        "429, 1e9, 0", "429, 99999999999999999999, 31536000000"
    })
    void onlyTooBusyAndNotReadyMayBeAskedAgain(int status, String header, Long millis) throws Exception {
        Fake fake = fake(Fake.says(status, "later", header));
        SidecarException error = failure(transport(64, 5, 2000), post(LONG, fake.address()));
        assertEquals(status, error.status());
        assertEquals(millis == null ? null : Duration.ofMillis(millis), error.retryAfter());
    }

    @Test
    void oneAddressThatIsTooBusyIsEnoughToAskAgain() throws Exception {
        Fake patient = fake(Fake.says(429, "later", "9"));
        Fake busy = fake(Fake.says(503, "later", "3"));
        SidecarException error =
                failure(
                        transport(64, 5, 2000),
                        post(LONG, patient.address(), busy.address(), Fake.nowhere()));
        assertEquals(Reason.SIDECAR_UNAVAILABLE, error.reason());
        assertEquals(Duration.ofSeconds(3), error.retryAfter());
    }

    @Test
    void aClientErrorIsNotAskedOfTheOthers() throws Exception {
        Fake refusing = fake(Fake.says(422, "no"));
        Fake other = fake(Fake.says(200, "good"));
        failure(transport(64, 5, 2000), post(LONG, refusing.address(), other.address()));
        assertEquals(0, other.bodies.size());
    }

    @Test
    void nobodyThereIsUnavailable() throws Exception {
        URI nowhere = Fake.nowhere();
        SidecarException error = failure(transport(64, 5, 2000), post(LONG, nowhere));
        assertEquals(Reason.SIDECAR_UNAVAILABLE, error.reason());
        assertEquals(
                "the sidecar at " + nowhere + " cannot be reached (ConnectException); start it with"
                        + " `rankside serve`, or correct its url",
                error.getMessage());
    }

    @Test
    void aHangingSidecarIsLeftWhenTheTimeIsOver() throws Exception {
        Fake fake = fake(Fake.says(200, ""));
        fake.behaviour = fake.hangs();
        Transport transport = transport(64, 5, 2000);
        SidecarException error = failure(transport, post(SHORT, fake.address()));
        assertEquals(Reason.DEADLINE, error.reason());
        assertEquals(
                "the sidecar did not answer within 200 ms; see whether it is overloaded, or raise the"
                        + " timeout",
                error.getMessage());
        assertEquals(0, transport.inFlight());
    }

    @Test
    void aBodyThatHangsIsLeftToo() throws Exception {
        Fake fake = fake(Fake.says(200, ""));
        Fake.Behaviour hangs = fake.hangs();
        fake.behaviour =
                exchange -> {
                    exchange.sendResponseHeaders(200, 100);
                    exchange.getResponseBody().write('{');
                    exchange.getResponseBody().flush();
                    hangs.answer(exchange);
                };
        assertEquals(
                Reason.DEADLINE, failure(transport(64, 5, 2000), post(SHORT, fake.address())).reason());
    }

    @Test
    void noTimeLeftIsNotSpentOnACall() throws Exception {
        Fake fake = fake(Fake.says(200, ""));
        SidecarException error = failure(transport(64, 5, 2000), post(Duration.ZERO, fake.address()));
        assertEquals(Reason.DEADLINE, error.reason());
        assertEquals(0, fake.bodies.size());
    }

    @Test
    void anAnswerThatCannotBeReadIsUnusable() throws Exception {
        Fake fake = fake(Fake.says(200, "<html>"));
        List<URI> addresses = List.of(fake.address());
        Request.Reader<String> reader =
                bytes -> {
                    throw new IOException("it is not JSON\n at [Source: line 1]");
                };
        Request<String> post = new Request<>(addresses, "/x", null, new byte[0], LONG, reader);
        SidecarException error = failure(transport(64, 5, 2000), post);
        assertEquals(Reason.UNUSABLE_ANSWER, error.reason());
        assertEquals(
                "the answer of " + fake.address() + " cannot be used (it is not JSON); check that a"
                        + " Rankside sidecar of this version runs there",
                error.getMessage());
        assertEquals(List.of("null"), fake.keys);
    }

    @Test
    void anEndlessAnswerIsGivenUp() throws Exception {
        Fake fake = fake(Fake.says(200, "x".repeat(2000)));
        SidecarException error = failure(transport(64, 5, 1000), post(LONG, fake.address()));
        assertEquals(Reason.UNUSABLE_ANSWER, error.reason());
        assertEquals(1, fake.bodies.size());
    }

    @Test
    void longAnswersAtTheSameTimeAreNotAllRead() throws Exception {
        Fake fake = fake(Fake.says(200, "x".repeat(600)));
        Transport transport = transport(64, 5, 1000);
        CompletableFuture<String> first = halfRead(transport);
        SidecarException error = failure(transport, post(LONG, fake.address()));
        assertEquals(Reason.UNUSABLE_ANSWER, error.reason());
        first.cancel(true);
        awaitAnswerBytes(transport, 0);
        assertEquals(600, transport.send(post(LONG, fake.address())).get().length());
    }

    @Test
    void whatAnAnswerTookOfTheMemoryIsGivenBackWhateverItsEnd() throws Exception {
        Fake good = fake(Fake.says(200, "x".repeat(900)));
        Fake cut = fake(Fake.says(200, ""));
        cut.behaviour =
                exchange -> {
                    exchange.sendResponseHeaders(200, 900);
                    exchange.getResponseBody().write(new byte[800]);
                    throw new IOException("cut");
                };
        Transport transport = transport(64, 99, 1000);
        assertEquals(900, transport.send(post(LONG, good.address())).get().length());
        awaitAnswerBytes(transport, 0);
        assertEquals(
                Reason.SIDECAR_UNAVAILABLE, failure(transport, post(LONG, cut.address())).reason());
        awaitAnswerBytes(transport, 0);
        halfRead(transport).cancel(true);
        awaitAnswerBytes(transport, 0);
    }

    @Test
    void aConnectionCutWhileItIsUsedIsTriedOnceMore() throws Exception {
        Fake fake = fake(Fake.says(200, "good"));
        fake.behaviour = fake.cutsEvery(2, Fake.says(200, "good"));
        assertEquals("good", transport(64, 5, 2000).send(post(LONG, fake.address())).get());
        assertEquals(2, fake.bodies.size());
    }

    @Test
    void callsAboveTheLimitAreRefusedAtOnce() throws Exception {
        Fake fake = fake(Fake.says(200, ""));
        fake.behaviour = fake.hangs();
        Transport transport = transport(2, 5, 2000);
        CompletableFuture<String> first = transport.send(post(LONG, fake.address()));
        transport.send(post(LONG, fake.address()));
        assertEquals(2, transport.inFlight());
        SidecarException error = failure(transport, post(LONG, fake.address()));
        assertEquals(Reason.TOO_MANY_IN_FLIGHT, error.reason());
        first.cancel(true);
        assertEquals(1, transport.inFlight());
    }

    @Test
    void aCancelledCallEndsTheRequestAndSaysNothingAboutTheAddress() throws Exception {
        Fake fake = fake(Fake.says(200, ""));
        fake.behaviour = fake.hangs();
        Transport transport = transport(64, 1, 2000);
        CompletableFuture<String> call = transport.send(post(LONG, fake.address()));
        call.cancel(true);
        assertThrows(CancellationException.class, call::get);
        assertEquals(Map.of(fake.address().toString(), "closed"), transport.circuits());
        fake.behaviour = Fake.says(200, "good");
        assertEquals("good", transport.send(post(LONG, fake.address())).get());
    }

    @Test
    void anAddressThatFailsIsNotAskedForAWhile() throws Exception {
        Fake fake = fake(Fake.says(500, "broken"));
        Transport transport = transport(64, 2, 2000);
        failure(transport, post(LONG, fake.address()));
        failure(transport, post(LONG, fake.address()));
        assertEquals(Map.of(fake.address().toString(), "open"), transport.circuits());
        SidecarException error = failure(transport, post(LONG, fake.address()));
        assertEquals(Reason.CIRCUIT_OPEN, error.reason());
        assertEquals(2, fake.bodies.size());
    }

    @Test
    void aRefusalIsKnownBeforeTheCallIsMade() throws Exception {
        Fake fake = fake(Fake.says(500, "broken"));
        URI address = fake.address();
        Transport transport = transport(1, 1, 2000);
        assertEquals(Optional.empty(), transport.refusal(List.of(address), "/v1/listwise"));
        failure(transport, post(LONG, address));
        assertEquals(
                Reason.CIRCUIT_OPEN,
                transport.refusal(List.of(address), "/v1/listwise").orElseThrow().reason());
        URI other = fake(Fake.says(200, "")).address();
        assertEquals(Optional.empty(), transport.refusal(List.of(address, other), "/v1/listwise"));
        assertEquals(1, fake.bodies.size());
    }

    @Test
    void aRefusalForWantOfAPlaceIsKnownToo() throws Exception {
        Fake fake = fake(Fake.says(200, ""));
        fake.behaviour = fake.hangs();
        Transport transport = transport(1, 1, 2000);
        CompletableFuture<String> first = transport.send(post(LONG, fake.address()));
        SidecarException refusal =
                transport.refusal(List.of(fake.address()), "/v1/listwise").orElseThrow();
        assertEquals(Reason.TOO_MANY_IN_FLIGHT, refusal.reason());
        first.cancel(true);
        assertEquals(Optional.empty(), transport.refusal(List.of(fake.address()), "/v1/listwise"));
    }

    @Test
    void stallsOpenTheCircuitToo() throws Exception {
        Fake fake = fake(Fake.says(200, ""));
        fake.behaviour = fake.hangs();
        Transport transport = transport(64, 1, 2000);
        failure(transport, post(SHORT, fake.address()));
        assertEquals(
                Reason.CIRCUIT_OPEN, failure(transport, post(SHORT, fake.address())).reason());
    }

    @Test
    void aCallInGreatHasteSaysNothingAboutTheAddress() throws Exception {
        Fake fake = fake(Fake.says(200, ""));
        fake.behaviour = fake.hangs();
        Transport transport = transport(64, 1, 2000);
        SidecarException error = failure(transport, post(Duration.ofMillis(99), fake.address()));
        assertEquals(Reason.DEADLINE, error.reason());
        assertEquals(Map.of(fake.address().toString(), "closed"), transport.circuits());
    }

    /** A call that has half of a long answer. */
    private CompletableFuture<String> halfRead(Transport transport) throws Exception {
        Fake fake = fake(Fake.says(200, ""));
        Fake.Behaviour hangs = fake.hangs();
        fake.behaviour =
                exchange -> {
                    exchange.sendResponseHeaders(200, 900);
                    exchange.getResponseBody().write(new byte[500]);
                    exchange.getResponseBody().flush();
                    hangs.answer(exchange);
                };
        CompletableFuture<String> call = transport.send(post(LONG, fake.address()));
        awaitAnswerBytes(transport, 500);
        return call;
    }

    private static void awaitAnswerBytes(Transport transport, long bytes) throws InterruptedException {
        while (transport.answerBytes() != bytes) {
            Thread.sleep(1);
        }
    }

    private Fake fake(Fake.Behaviour behaviour) throws IOException {
        Fake fake = new Fake(behaviour);
        open.add(fake);
        return fake;
    }

    private Transport transport(int inFlight, int failures, int answerBytes) {
        SidecarSettings settings =
                new SidecarSettings(
                        Duration.ofSeconds(5), inFlight, answerBytes, failures,
                        Duration.ofMinutes(1), Duration.ofMinutes(1), null);
        Transport transport = new Transport(settings, completions, new Stats(), 0);
        open.addFirst(transport);
        return transport;
    }

    private static Request<String> post(Duration timeout, URI... addresses) {
        return new Request<>(
                List.of(addresses),
                "/v1/listwise",
                "key",
                "{}".getBytes(StandardCharsets.UTF_8),
                timeout,
                bytes -> new String(bytes, StandardCharsets.UTF_8));
    }

    private static SidecarException failure(Transport transport, Request<?> asked) {
        ExecutionException error =
                assertThrows(
                        ExecutionException.class,
                        () -> transport.send(asked).get(20, TimeUnit.SECONDS));
        return (SidecarException) error.getCause();
    }
}
