package org.rankside.elasticsearch.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.rankside.elasticsearch.ingest.FakeNode.document;
import static org.rankside.elasticsearch.ingest.FakeNode.documents;
import static org.rankside.elasticsearch.ingest.FakeNode.run;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.elasticsearch.ExceptionsHelper;
import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.elasticsearch.ingest.AbstractProcessor;
import org.elasticsearch.ingest.CompoundProcessor;
import org.elasticsearch.ingest.IngestDocument;
import org.elasticsearch.ingest.Processor;
import org.elasticsearch.rest.RestStatus;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.rankside.client.DocumentText;
import org.rankside.elasticsearch.ElasticsearchJson;
import org.rankside.elasticsearch.ingest.FakeNode.Outcome;
import org.rankside.ingest.FakeSidecar;
import org.rankside.ingest.FloatList;

@Timeout(60)
class EmbeddingProcessorTest {
    private static final String HASH_OF_A = DocumentText.vectorHash(FakeSidecar.FINGERPRINT, "a");
    private static final int MAX_WAITING = 100_000;

    @TempDir Path home;
    private FakeSidecar sidecar;
    private FakeNode node;

    @BeforeEach
    void start() throws Exception {
        sidecar = new FakeSidecar(new ElasticsearchJson());
        node = new FakeNode(home, MAX_WAITING, "rankside.sidecar.url", sidecar.url());
        node.index("books", FakeNode.MAPPING);
    }

    @AfterEach
    void stop() {
        node.close();
        sidecar.close();
    }

    @Test
    void aDocumentGetsItsVectorAndHash() {
        Outcome outcome =
                run(node.processor("{}"), document("books", "title", "A", "text", " b ")).getFirst();
        assertEmbedded(outcome, "A\nb");
        assertEquals(List.of("Bearer secret"), sidecar.keys);
    }

    @Test
    void theEngineIsToldThatItGoesOnElsewhere() {
        Processor processor = node.processor("{}");
        assertTrue(processor.isAsync());
        assertThrows(
                UnsupportedOperationException.class, () -> processor.execute(document("books")));
    }

    @Test
    void documentsOfABulkTravelTogether() {
        sidecar.holds();
        List<CompletableFuture<Outcome>> all =
                FakeNode.start(node.processor("{'batch_size': 100}"), books(450));
        sidecar.release();
        all.forEach(one -> assertNull(one.orTimeout(30, TimeUnit.SECONDS).join().error()));
        assertEquals(450, sidecar.calls.stream().mapToInt(List::size).sum());
        assertTrue(sidecar.calls.size() <= 4 + 5, sidecar.calls.size() + " calls");
        assertTrue(sidecar.mostAtOnce.get() <= 4, sidecar.mostAtOnce + " at once");
    }

    @Test
    void aVectorOfThisTextAndModelIsKept() {
        IngestDocument document = document("books", "text", "a", "v", List.of(7, 8, 9), "h", HASH_OF_A);
        assertNull(run(node.processor("{}"), document).getFirst().error());
        assertEquals(List.of(7, 8, 9), document.getFieldValue("v", List.class));
        assertEquals(List.of(), sidecar.calls);
    }

    @Test
    void theVectorInADocumentCanBeCopied() { // as _simulate does
        IngestDocument document = document("books", "text", "a");
        run(node.processor("{}"), document);
        Map<String, Object> copy = new IngestDocument(document).getSourceAndMetadata();
        assertEquals(new FloatList(FakeSidecar.vector("a")), copy.get("v"));
    }

    @Test
    void whereFailuresAreIgnoredNoStaleVectorIsLeft() {
        sidecar.refuses(1, 500, "");
        Processor ignoring = new CompoundProcessor(true, List.of(node.processor("{}")), List.of());
        Outcome outcome =
                run(ignoring, document("books", "text", "b", "v", List.of(7, 8, 9), "h", HASH_OF_A))
                        .getFirst();
        assertNull(outcome.error());
        assertFalse(outcome.document().hasField("v"));
        assertFalse(outcome.document().hasField("h"));
    }

    @Test
    void whatFollowsAFailureReadsTheSentenceWithTheRemedy() {
        node.index("books", FakeNode.MAPPING.replace("f00d", "beef"));
        Processor pipeline =
                new CompoundProcessor(false, List.of(node.processor("{}")), List.of(new Marking()));
        Outcome outcome = run(pipeline, document("books", "text", "a")).getFirst();
        assertNull(outcome.error());
        String marked = outcome.document().getFieldValue("marked", String.class);
        assertTrue(marked.contains("re-embed the index with `rankside backfill`"), marked);
    }

    @Test
    void theStatusSaysWhetherToSendItAgain() {
        sidecar.refuses(Integer.MAX_VALUE, 429, "0");
        Processor processor = node.processor("{'retry_for': '0'}");
        assertStatus(RestStatus.TOO_MANY_REQUESTS, run(processor, document("books", "text", "a")));
        assertStatus(RestStatus.BAD_REQUEST, run(processor, document("nowhere", "text", "a")));
        sidecar.close();
        assertStatus(RestStatus.SERVICE_UNAVAILABLE, run(processor, document("books", "text", "a")));
    }

    @Test
    void vectorsOfAnotherLengthThanTheMappingsAreNotWritten() {
        node.index("books", FakeNode.MAPPING.replace("\"dims\": 3", "\"dims\": 4"));
        List<Outcome> outcomes = run(node.processor("{}"), document("books", "text", "a"));
        assertStatus(RestStatus.BAD_REQUEST, outcomes);
        assertEquals(
                "the sidecar's vectors have 3 dimensions and field [v] of index [books] has 4; start it"
                        + " with the model that the index is made for",
                outcomes.getFirst().error().getMessage());
    }

    @Test
    void moreThanFitsIsToBeSentAgain() {
        sidecar.holds();
        String much = "x".repeat(MAX_WAITING / 4);
        List<CompletableFuture<Outcome>> first =
                FakeNode.start(node.processor("{}"), documents("books", much, much));
        List<Outcome> refused = run(node.processor("{}"), document("books", "text", "a"));
        assertStatus(RestStatus.TOO_MANY_REQUESTS, refused);
        assertTrue(refused.getFirst().error().getMessage().contains("rankside.ingest.max_waiting"));
        sidecar.release();
        first.forEach(one -> assertNull(one.orTimeout(30, TimeUnit.SECONDS).join().error()));
        assertNull(run(node.processor("{}"), document("books", "text", "a")).getFirst().error());
    }

    @Test
    void thousandsOfFailuresInARowAreToldOnceEach() {
        sidecar.close();
        Processor processor = node.processor("{'batch_size': 1, 'max_concurrent': 64}");
        List<Outcome> outcomes = run(processor, books(5000));
        assertEquals(5000, outcomes.stream().filter(one -> one.error() != null).count());
    }

    @Test
    void aDocumentThatThePipelineCannotGoOnWithIsReported() throws Exception {
        CompletableFuture<Exception> told = new CompletableFuture<>();
        node.processor("{}")
                .execute(
                        document("books", "text", "a"),
                        (result, error) -> {
                            if (error == null) {
                                throw new IllegalArgumentException("cannot be written");
                            }
                            told.complete(error);
                        });
        assertEquals("cannot be written", told.get(30, TimeUnit.SECONDS).getMessage());
    }

    @Test
    @SuppressWarnings("try")
    void whatComesAfterRunsForTheSameUser() throws Exception {
        CompletableFuture<String> user = new CompletableFuture<>();
        CompletableFuture<Thread> thread = new CompletableFuture<>();
        try (ThreadContext.StoredContext here = node.context.stashContext()) {
            node.context.putHeader("user", "anna");
            node.processor("{}")
                    .execute(
                            document("books", "text", "a"),
                            (result, error) -> {
                                thread.complete(Thread.currentThread());
                                user.complete(node.context.getHeader("user"));
                            });
        }
        assertEquals("anna", user.get(30, TimeUnit.SECONDS));
        assertNotEquals(Thread.currentThread(), thread.get());
        assertNull(node.context.getHeader("user"));
    }

    /** Writes down why a document failed. */
    private static final class Marking extends AbstractProcessor {
        Marking() {
            super(null, null);
        }

        @Override
        public IngestDocument execute(IngestDocument document) {
            document.setFieldValue("marked", document.getIngestMetadata().get("on_failure_message"));
            return document;
        }

        @Override
        public String getType() {
            return "marking";
        }
    }

    private static IngestDocument[] books(int count) {
        return documents(
                "books", IntStream.range(0, count).mapToObj(at -> "t" + at).toArray(String[]::new));
    }

    private static void assertStatus(RestStatus status, List<Outcome> outcomes) {
        assertFalse(outcomes.isEmpty());
        outcomes.forEach(one -> assertEquals(status, ExceptionsHelper.status(one.error())));
    }

    private static void assertEmbedded(Outcome outcome, String text) {
        assertNull(outcome.error());
        assertEquals(
                new FloatList(FakeSidecar.vector(text)),
                outcome.document().getFieldValue("v", List.class));
        assertEquals(
                DocumentText.vectorHash(FakeSidecar.FINGERPRINT, text),
                outcome.document().getFieldValue("h", String.class));
    }
}
