package org.rankside.opensearch.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.rankside.opensearch.ingest.FakeNode.document;
import static org.rankside.opensearch.ingest.FakeNode.run;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.opensearch.ExceptionsHelper;
import org.opensearch.core.rest.RestStatus;
import org.opensearch.ingest.IngestDocument;
import org.opensearch.ingest.IngestDocumentWrapper;
import org.opensearch.ingest.Processor;
import org.rankside.ingest.FakeSidecar;
import org.rankside.opensearch.OpenSearchJson;

@Timeout(60)
class SidecarFailuresTest {
    private static final int MAX_WAITING = 1000;

    @TempDir Path home;
    private FakeSidecar sidecar;
    private FakeNode node;

    @BeforeEach
    void start() throws Exception {
        sidecar = new FakeSidecar(new OpenSearchJson());
        node =
                new FakeNode(
                        home, MAX_WAITING,
                        "rankside.circuit.failures", "3",
                        "rankside.circuit.open_for", "700ms",
                        "rankside.circuit.open_for_at_most", "1h");
        node.index("books", FakeNode.MAPPING);
    }

    @AfterEach
    void stop() {
        node.close();
        sidecar.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {429, 503})
    void whatIsRefusedForNowIsTriedAgainAfterTheTimeAskedFor(int status) {
        sidecar.refuses(2, status, "1");
        long start = System.nanoTime();
        assertNull(run(processor(""), books("a", "b")).getFirst().getException());
        assertTrue(System.nanoTime() - start >= TimeUnit.SECONDS.toNanos(2));
        assertEquals(List.of(List.of("a", "b"), List.of("a", "b"), List.of("a", "b")), sidecar.calls);
    }

    @Test
    void aSidecarThatIsNotReadyForLongIsTriedThroughItsCircuit() {
        sidecar.refuses(5, 503, "0"); // of which three open the circuit
        assertNull(run(processor(""), books("a")).getFirst().getException());
        assertEquals(6, sidecar.calls.size());
    }

    @ParameterizedTest
    @CsvSource({"429, TOO_MANY_REQUESTS", "503, SERVICE_UNAVAILABLE"})
    void patienceHasAnEndThatAllDocumentsShare(int status, RestStatus told) {
        sidecar.refuses(Integer.MAX_VALUE, status, "0");
        long start = System.nanoTime();
        List<IngestDocumentWrapper> results =
                run(processor(", 'retry_for': '1s', 'batch_size': 1, 'max_concurrent': 2"),
                        books("a", "b", "c", "d", "e", "f", "g", "h"));
        long took = System.nanoTime() - start;
        results.forEach(one -> assertEquals(told, ExceptionsHelper.status(one.getException())));
        assertTrue(took >= TimeUnit.MILLISECONDS.toNanos(900), took + " ns");
        assertTrue(took < TimeUnit.SECONDS.toNanos(4), took + " ns"); // of four times a second and more
    }

    @Test
    void whoAsksForMoreTimeThanThereIsIsNotWaitedFor() {
        sidecar.refuses(Integer.MAX_VALUE, 429, "30");
        assertFails(
                "HTTP 429",
                RestStatus.TOO_MANY_REQUESTS,
                run(processor(", 'retry_for': '5s'"), books("a")));
        assertEquals(1, sidecar.calls.size());
    }

    @ParameterizedTest
    @CsvSource({"500, BAD_GATEWAY", "502, BAD_GATEWAY", "504, BAD_GATEWAY", "401, BAD_GATEWAY"})
    void otherErrorsAreNotTriedAgain(int status, RestStatus told) {
        sidecar.refuses(Integer.MAX_VALUE, status, "0");
        assertFails("HTTP " + status, told, run(processor(""), books("a", "b")));
        assertEquals(1, sidecar.calls.size());
    }

    @Test
    void aSidecarThatIsNotThereIsNotTriedAgainAndForgivenSoon() throws Exception {
        String url = sidecar.url();
        sidecar.close();
        Processor processor = node.processor("{'url': '" + url + "', 'batch_size': 1, 'max_concurrent': 1}");
        List<IngestDocumentWrapper> results = run(processor, books("a", "b", "c", "d", "e"));
        assertFails("cannot be reached", RestStatus.SERVICE_UNAVAILABLE, results.subList(0, 3));
        assertFails("is not asked for a while", RestStatus.SERVICE_UNAVAILABLE, results.subList(3, 5));
        for (int probe = 0; probe < 3; probe++) { // each of which opens the circuit no longer
            Thread.sleep(800);
            assertFails("cannot be reached", RestStatus.SERVICE_UNAVAILABLE, run(processor, books("a")));
        }
    }

    @Test
    void aSidecarThatIsBackTakesAllThatComesAfterItsProbe() throws Exception {
        sidecar.refuses(3, 500, "");
        for (String text : List.of("a", "b", "c")) {
            assertFails("HTTP 500", RestStatus.BAD_GATEWAY, run(processor(""), books(text)));
        }
        assertFails("is not asked for a while", RestStatus.SERVICE_UNAVAILABLE, run(processor(""), books("d")));
        Thread.sleep(800);
        sidecar.holds();
        CompletableFuture<List<IngestDocumentWrapper>> done =
                FakeNode.start(processor(", 'batch_size': 1"), books("a", "b", "c", "d", "e", "f"));
        while (sidecar.calls.size() < 4) {
            Thread.sleep(5);
        }
        Thread.sleep(100); // in which the others would have failed
        assertEquals(4, sidecar.calls.size());
        sidecar.release();
        done.get(30, TimeUnit.SECONDS).forEach(one -> assertNull(one.getException()));
    }

    @Test
    void aSidecarThatHangsIsLeftWhenTheTimeIsOver() {
        sidecar.holds();
        assertFails(
                "did not answer within 200 ms",
                RestStatus.GATEWAY_TIMEOUT,
                run(processor(", 'timeout': '200ms'"), books("a", "b")));
        assertEquals(1, sidecar.calls.size());
    }

    @ParameterizedTest
    @ValueSource(strings = {"AADAfwAAAAAAAAAA", "AAAAAAAAAAAAAAAA", "AACAfwAAgH8AAIB/", "?"})
    void aVectorThatCannotBeUsedFailsItsDocumentAlone(String vector) {
        sidecar.behaviour =
                (exchange, texts) -> {
                    List<Map<String, Object>> rows = FakeSidecar.rows(texts);
                    rows.set(1, Map.of("index", 1, "embedding", vector));
                    sidecar.say(exchange, 200, rows);
                };
        List<IngestDocumentWrapper> results = run(processor(""), books("a", "b", "c"));
        assertNull(results.get(0).getException());
        assertFails("NaN, infinite or zero", RestStatus.BAD_GATEWAY, results.subList(1, 2));
        assertNull(results.get(2).getException());
    }

    @Test
    void anotherNumberOfVectorsThanTextsFailsThemAll() {
        sidecar.behaviour =
                (exchange, texts) -> sidecar.say(exchange, 200, FakeSidecar.rows(texts.subList(1, 2)));
        assertFails(
                "1 vectors for 2 texts", RestStatus.BAD_GATEWAY, run(processor(""), books("a", "b")));
    }

    @Test
    void vectorsOfAnotherLengthThanTheMappingsAreNotWritten() {
        node.index("books", FakeNode.MAPPING.replace("\"dimension\": 3", "\"dimension\": 4"));
        IngestDocument[] documents = books("a");
        assertFails(
                "have 3 dimensions and field [v] of index [books] has 4",
                RestStatus.BAD_REQUEST,
                run(processor(""), documents));
        assertFalse(documents[0].hasField("v"));
    }

    @Test
    void oneTextThatIsRefusedFailsItsDocumentAlone() {
        sidecar.behaviour =
                (exchange, texts) ->
                        sidecar.say(
                                exchange, texts.contains("d") ? 413 : 200, FakeSidecar.rows(texts));
        List<IngestDocumentWrapper> results = run(processor(""), books("a", "b", "c", "d", "e"));
        assertFails("HTTP 413", RestStatus.BAD_REQUEST, results.subList(3, 4));
        results.remove(3);
        results.forEach(one -> assertNull(one.getException()));
    }

    @Test
    void anotherModelFailsWithARemedy() {
        node.index("books", FakeNode.MAPPING.replace("f00d", "beef"));
        assertFails(
                "serves another model than the one with fingerprint beef",
                RestStatus.BAD_REQUEST,
                run(processor(""), books("a")));
    }

    @Test
    void moreThanFitsIsToBeSentAgain() throws Exception {
        sidecar.holds();
        String long1 = "x".repeat(MAX_WAITING / 4);
        CompletableFuture<List<IngestDocumentWrapper>> first =
                FakeNode.start(processor(""), books(long1, long1));
        assertFails(
                "rankside.ingest.max_waiting", RestStatus.TOO_MANY_REQUESTS, run(processor(""), books("a")));
        sidecar.release();
        first.get(30, TimeUnit.SECONDS).forEach(one -> assertNull(one.getException()));
        assertNull(run(processor(""), books("a")).getFirst().getException());
    }

    @Test
    void thousandsOfFailuresInARowAreTold() {
        String[] texts = new String[5000];
        for (int at = 0; at < texts.length; at++) {
            texts[at] = "" + at % 10;
        }
        sidecar.close();
        node.close();
        node = new FakeNode(home, 1 << 30, "rankside.max_in_flight", "1");
        node.index("books", FakeNode.MAPPING);
        Processor processor =
                node.processor("{'url': '" + sidecar.url() + "', 'batch_size': 1, 'max_concurrent': 64}");
        List<IngestDocumentWrapper> results = run(processor, books(texts));
        assertEquals(5000, results.stream().filter(one -> one.getException() != null).count());
    }

    private Processor processor(String more) {
        return node.processor("{'url': '" + sidecar.url() + "'" + more + "}");
    }

    private static IngestDocument[] books(String... texts) {
        List<IngestDocument> documents = new ArrayList<>();
        for (String text : texts) {
            documents.add(document("books", "text", text));
        }
        return documents.toArray(IngestDocument[]::new);
    }

    private static void assertFails(
            String why, RestStatus status, List<IngestDocumentWrapper> results) {
        assertFalse(results.isEmpty());
        for (IngestDocumentWrapper one : results) {
            assertTrue(one.getException().getMessage().contains(why), one.getException().getMessage());
            assertEquals(status, ExceptionsHelper.status(one.getException()));
        }
    }
}
