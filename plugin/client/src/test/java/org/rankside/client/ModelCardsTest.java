package org.rankside.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.rankside.client.Models.Card;

@Timeout(30)
class ModelCardsTest {
    private static final Duration LONG = Duration.ofSeconds(20);
    private static final Duration SHORT = Duration.ofMillis(100);
    private static final Fake.Behaviour GOOD = says("m");

    private final ExecutorService completions =
            Executors.newSingleThreadExecutor(run -> new Thread(run, "completions"));
    private final CountDownLatch go = new CountDownLatch(1);
    private final Transport transport = new Transport(SidecarSettings.DEFAULTS, completions, new Stats());
    private volatile long now = -5;
    private final ModelCards cards = new ModelCards(transport, Cases.json(), completions, () -> now);
    private Fake fake;
    private List<URI> addresses;

    @BeforeEach
    void open() throws IOException {
        fake = new Fake(GOOD);
        addresses = List.of(fake.address());
    }

    @AfterEach
    void close() {
        transport.close();
        fake.close();
        completions.shutdownNow();
    }

    @Test
    void aSidecarIsAskedOnce() throws Exception {
        assertEquals("m", encoder().id());
        assertEquals("m", encoder().id());
        assertNull(cards.llm(addresses, null, LONG).get());
        assertEquals(List.of("GET /v1/models"), fake.asked);
    }

    @Test
    void whatIsKnownIsThereAtOnceAndWithoutTimeLeft() throws Exception {
        encoder();
        assertTrue(cards.encoder(addresses, null, Duration.ZERO).isDone());
    }

    @Test
    void everyKeyAsksForItself() throws Exception {
        encoder();
        cards.encoder(addresses, "key", LONG).get();
        assertEquals(List.of("null", "Bearer key"), fake.keys);
    }

    @Test
    void theFirstAskersShareOneCallAndAreToldOnTheEnginesThread() throws Exception {
        fake.behaviour = waitsFor(go, GOOD);
        CompletableFuture<Card> first = cards.encoder(addresses, null, LONG);
        CompletableFuture<String> second =
                cards.encoder(addresses, null, LONG).thenApply(card -> Thread.currentThread().getName());
        go.countDown();
        assertEquals("m", first.get().id());
        assertEquals("completions", second.get());
        assertEquals(1, fake.asked.size());
    }

    @Test
    void whoCancelsOrCannotWaitLeavesTheOthersAlone() throws Exception {
        fake.behaviour = waitsFor(go, GOOD);
        CompletableFuture<Card> cancelled = cards.encoder(addresses, null, LONG);
        CompletableFuture<Card> hasty = cards.encoder(addresses, null, SHORT);
        CompletableFuture<Card> patient = cards.encoder(addresses, null, LONG);
        cancelled.cancel(true);
        assertTrue(failure(hasty).getMessage().startsWith("the sidecar did not answer within 100 ms;"));
        assertEquals(Reason.DEADLINE, failure(hasty).reason());
        go.countDown();
        assertEquals("m", patient.get().id());
        assertEquals(1, fake.asked.size());
    }

    @Test
    void aHastyFirstAskerStillBringsTheCards() throws Exception {
        fake.behaviour = waitsFor(go, GOOD);
        failure(cards.encoder(addresses, null, SHORT));
        CompletableFuture<Card> next = cards.encoder(addresses, null, LONG);
        go.countDown();
        assertEquals("m", next.get().id());
        assertEquals(1, fake.asked.size());
    }

    @Test
    void aFailureIsNotKept() throws Exception {
        fake.behaviour = Fake.says(500, "the model is away");
        SidecarException error = failure(cards.encoder(addresses, null, LONG));
        assertEquals(Reason.SIDECAR_REJECTED, error.reason());
        fake.behaviour = GOOD;
        assertEquals("m", encoder().id());
    }

    @Test
    void aRefusalByTheTransportIsNotKeptEither() throws Exception {
        Transport busy = new Transport(inFlight(1), completions, new Stats());
        ModelCards limited = new ModelCards(busy, Cases.json(), completions, () -> now);
        fake.behaviour = fake.hangs();
        CompletableFuture<String> other =
                busy.send(Request.get(addresses, "/x", null, LONG, String::new));
        SidecarException error = failure(limited.encoder(addresses, null, LONG));
        assertEquals(Reason.TOO_MANY_IN_FLIGHT, error.reason());
        other.cancel(true);
        fake.behaviour = GOOD;
        assertEquals("m", limited.encoder(addresses, null, LONG).get().id());
        busy.close();
    }

    @Test
    void anOldCardIsServedWhileItIsRenewed() throws Exception {
        encoder();
        fake.behaviour = waitsFor(go, says("new"));
        now += Duration.ofSeconds(60).toNanos() - 1;
        assertEquals("m", encoder().id());
        assertEquals(1, fake.asked.size());
        now += 1;
        assertEquals("m", encoder().id());
        assertEquals("m", encoder().id());
        go.countDown();
        awaitEncoder("new");
        assertEquals(2, fake.asked.size());
    }

    @Test
    void aRenewalThatFailsLeavesTheOldCardForAnotherMinute() throws Exception {
        encoder();
        fake.behaviour = Fake.says(500, "the model is away");
        now += Duration.ofSeconds(60).toNanos();
        assertEquals("m", encoder().id());
        while (transport.inFlight() > 0) {
            Thread.onSpinWait();
        }
        completions.submit(() -> {}).get(); // behind what the call had left to do
        assertEquals("m", encoder().id());
        assertEquals(2, fake.asked.size());
        fake.behaviour = says("new");
        while (!encoder().id().equals("new")) { // until the test's time is over
            now += Duration.ofSeconds(1).toNanos();
            TimeUnit.MILLISECONDS.sleep(1);
        }
    }

    @Test
    void whatIsForgottenIsAskedAnew() throws Exception {
        encoder();
        fake.behaviour = says("new");
        cards.forget(List.of(URI.create("http://another")));
        assertEquals("m", encoder().id());
        cards.forget(addresses);
        assertEquals("new", encoder().id());
    }

    private Card encoder() throws Exception {
        return cards.encoder(addresses, null, LONG).get();
    }

    private void awaitEncoder(String id) throws Exception {
        while (!encoder().id().equals(id)) { // until the test's time is over
            TimeUnit.MILLISECONDS.sleep(5);
        }
    }

    private static Fake.Behaviour says(String id) {
        return Fake.says(200, ModelsTest.list(ModelsTest.ENCODER.replace("'m'", "'" + id + "'")));
    }

    private static Fake.Behaviour waitsFor(CountDownLatch go, Fake.Behaviour then) {
        return exchange -> {
            try {
                go.await();
            } catch (InterruptedException error) {
                throw new IOException(error);
            }
            then.answer(exchange);
        };
    }

    private static SidecarSettings inFlight(int calls) {
        SidecarSettings usual = SidecarSettings.DEFAULTS;
        return new SidecarSettings(
                usual.connectTimeout(), calls, usual.maxAnswerBytes(), usual.failures(),
                usual.openFor(), usual.openForAtMost(), null);
    }

    private static SidecarException failure(CompletableFuture<?> call) {
        ExecutionException error =
                assertThrows(ExecutionException.class, () -> call.get(20, TimeUnit.SECONDS));
        return assertInstanceOf(SidecarException.class, error.getCause());
    }
}
