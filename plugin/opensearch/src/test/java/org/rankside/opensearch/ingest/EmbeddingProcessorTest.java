package org.rankside.opensearch.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
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
import org.junit.jupiter.params.provider.ValueSource;
import org.opensearch.common.util.concurrent.ThreadContext;
import org.opensearch.ingest.CompoundProcessor;
import org.opensearch.ingest.IngestDocument;
import org.opensearch.ingest.IngestDocumentWrapper;
import org.opensearch.ingest.Processor;
import org.rankside.client.DocumentText;
import org.rankside.ingest.FakeSidecar;
import org.rankside.ingest.FloatList;
import org.rankside.opensearch.OpenSearchJson;

@Timeout(60)
class EmbeddingProcessorTest {
    private static final String HASH_OF_A = DocumentText.vectorHash(FakeSidecar.FINGERPRINT, "a");

    @TempDir Path home;
    private FakeSidecar sidecar;
    private FakeNode node;

    @BeforeEach
    void start() throws Exception {
        sidecar = new FakeSidecar(new OpenSearchJson());
        node = new FakeNode(home, 1 << 20);
        node.index("books", FakeNode.MAPPING);
    }

    @AfterEach
    void stop() {
        node.close();
        sidecar.close();
    }

    @Test
    void documentsHandedOverTogetherAreEmbeddedInOneCall() {
        List<IngestDocumentWrapper> results =
                run(
                        processor(""),
                        document("books", "title", "A", "text", " b "),
                        document("books", "text", "c"));
        assertEquals(List.of(List.of("A\nb", "c")), sidecar.calls);
        assertEmbedded(results.get(0), "A\nb");
        assertEmbedded(results.get(1), "c");
        assertEquals(5, results.get(0).getSlot());
        assertEquals(List.of("null"), sidecar.keys);
    }

    @Test
    void aDocumentAloneIsEmbeddedToo() throws Exception {
        CompletableFuture<IngestDocument> done = new CompletableFuture<>();
        processor("").execute(document("books", "text", "a"), (result, error) -> done.complete(result));
        assertEquals(HASH_OF_A, done.get(30, TimeUnit.SECONDS).getFieldValue("h", String.class));
        assertThrows(
                UnsupportedOperationException.class,
                () -> processor("").execute(document("books", "text", "a")));
    }

    @Test
    void aKeyOfTheKeystoreIsShown() {
        run(processor(", 'auth': 'main'"), document("books", "text", "a"));
        assertEquals(List.of("Bearer secret"), sidecar.keys);
    }

    @Test
    void aCallHasNoMoreTextsThanTheBatchSize() {
        IngestDocument[] documents = new IngestDocument[5];
        for (int at = 0; at < 5; at++) {
            documents[at] = document("books", "text", "t" + at);
        }
        run(processor(", 'batch_size': 2"), documents).forEach(one -> assertNull(one.getException()));
        assertEquals(
                List.of(1, 2, 2), sidecar.calls.stream().map(List::size).sorted().toList());
    }

    @Test
    void noMoreCallsAreUnderWayThanAllowed() throws Exception {
        sidecar.holds();
        IngestDocument[] documents = new IngestDocument[10];
        for (int at = 0; at < 10; at++) {
            documents[at] = document("books", "text", "t" + at);
        }
        CompletableFuture<?> done =
                FakeNode.start(processor(", 'batch_size': 1, 'max_concurrent': 3"), documents);
        while (sidecar.calls.size() < 3) {
            Thread.sleep(5);
        }
        Thread.sleep(100); // in which a fourth would have come
        assertEquals(3, sidecar.calls.size());
        sidecar.release();
        done.get(30, TimeUnit.SECONDS);
        assertEquals(10, sidecar.calls.size());
        assertEquals(3, sidecar.mostAtOnce.get());
    }

    @Test
    void documentsHandedOverOneByOneTravelTogether() throws Exception {
        sidecar.holds();
        Processor processor = processor(", 'max_concurrent': 1");
        List<CompletableFuture<List<IngestDocumentWrapper>>> all = new ArrayList<>();
        for (int at = 0; at < 10; at++) {
            all.add(FakeNode.start(processor, document("books", "text", "t" + at)));
        }
        sidecar.release();
        for (CompletableFuture<List<IngestDocumentWrapper>> one : all) {
            assertNull(one.get(30, TimeUnit.SECONDS).getFirst().getException());
        }
        assertEquals(List.of(1, 9), sidecar.calls.stream().map(List::size).toList());
    }

    @Test
    void aDocumentWithoutTextLosesWhatItHad() {
        IngestDocument document = document("books", "text", "  ", "v", List.of(1, 2, 3), "h", HASH_OF_A);
        assertNull(run(processor(""), document).getFirst().getException());
        assertFalse(document.hasField("v"));
        assertFalse(document.hasField("h"));
        assertEquals(List.of(), sidecar.calls);
    }

    @Test
    void aVectorOfThisTextAndModelIsKept() {
        IngestDocument document = document("books", "text", "a", "v", List.of(7, 8, 9), "h", HASH_OF_A);
        assertNull(run(processor(""), document).getFirst().getException());
        assertEquals(List.of(7, 8, 9), document.getFieldValue("v", List.class));
        assertEquals(List.of(), sidecar.calls);
    }

    @Test
    void itIsMadeAnewWhereThatIsAskedFor() {
        IngestDocument document = document("books", "text", "a", "v", List.of(7, 8, 9), "h", HASH_OF_A);
        assertEmbedded(run(processor(", 'skip_existing': false"), document).getFirst(), "a");
    }

    @ParameterizedTest
    @ValueSource(strings = {"of another text", "of another model", "too short", "gone", "no vector"})
    void aStaleVectorIsMadeAnew(String how) {
        IngestDocument document = document("books", "text", "a", "v", List.of(7, 8, 9), "h", HASH_OF_A);
        switch (how) {
            case "of another text" -> document.setFieldValue("text", "b");
            case "of another model" -> document.setFieldValue("h", DocumentText.vectorHash("beef", "a"));
            case "too short" -> document.setFieldValue("v", List.of(7, 8));
            case "gone" -> document.removeField("v");
            default -> document.setFieldValue("v", "x");
        }
        assertEmbedded(run(processor(""), document).getFirst(), how.endsWith("text") ? "b" : "a");
    }

    @Test
    void severalFieldsAreFilledInOneCall() {
        IngestDocument document = document("books", "title", "A", "text", "b");
        IngestDocumentWrapper result =
                run(processor(", 'field_map': {'v': 'title', 'o.v': ['text', 'title']}"), document)
                        .getFirst();
        assertNull(result.getException());
        assertEquals(1, sidecar.calls.size());
        assertVector(document, "v", "v_hash", "A");
        assertVector(document, "o.v", "o.v_hash", "b\nA");
    }

    @Test
    void oneOfSeveralThatFailsLeavesNone() {
        sidecar.behaviour =
                (exchange, texts) -> {
                    List<Map<String, Object>> rows = FakeSidecar.rows(texts);
                    rows.set(1, Map.of("index", 1, "embedding", "AADAfw=="));
                    sidecar.say(exchange, 200, rows);
                };
        IngestDocument document = document("books", "title", "A", "text", "b");
        IngestDocumentWrapper result =
                run(processor(", 'field_map': {'v': 'title', 'o.v': 'text'}"), document).getFirst();
        assertInstanceOf(Exception.class, result.getException());
        assertFalse(document.hasField("v") || document.hasField("o.v"));
    }

    @Test
    void whereFailuresAreIgnoredNoStaleVectorIsLeft() {
        sidecar.refuses(1, 500, "");
        Processor ignoring = new CompoundProcessor(true, List.of(processor("")), List.of());
        IngestDocument document = document("books", "text", "b", "v", List.of(7, 8, 9), "h", HASH_OF_A);
        IngestDocumentWrapper result = run(ignoring, document).getFirst();
        assertNull(result.getException());
        assertFalse(result.getIngestDocument().hasField("v"));
        assertFalse(result.getIngestDocument().hasField("h"));
    }

    @Test
    void oneBadDocumentOfABatchGoesToOnFailureAlone() {
        Processor marking = new Marking();
        Processor pipeline = new CompoundProcessor(false, List.of(processor("")), List.of(marking));
        List<IngestDocumentWrapper> results =
                run(pipeline, document("books", "text", "a"), document("nowhere", "text", "b"));
        assertEmbedded(results.get(0), "a");
        assertFalse(results.get(0).getIngestDocument().hasField("marked"));
        String marked = results.get(1).getIngestDocument().getFieldValue("marked", String.class);
        assertTrue(marked.contains("no index"), marked);
    }

    @Test
    @SuppressWarnings("try")
    void whatComesAfterRunsForTheSameUser() throws Exception {
        sidecar.holds(); // or the answer might be there before the caller has gone on
        CompletableFuture<String> user = new CompletableFuture<>();
        CompletableFuture<Thread> thread = new CompletableFuture<>();
        try (ThreadContext.StoredContext here = node.context().stashContext()) {
            node.context().putHeader("user", "anna");
            processor("")
                    .execute(
                            document("books", "text", "a"),
                            (result, error) -> {
                                thread.complete(Thread.currentThread());
                                user.complete(node.context().getHeader("user"));
                            });
        }
        sidecar.release();
        assertEquals("anna", user.get(30, TimeUnit.SECONDS));
        assertNotEquals(Thread.currentThread(), thread.get());
        assertNull(node.context().getHeader("user"));
    }

    /** Writes down why a document failed. */
    private static final class Marking implements Processor {
        @Override
        public IngestDocument execute(IngestDocument document) {
            document.setFieldValue("marked", document.getIngestMetadata().get("on_failure_message"));
            return document;
        }

        @Override
        public String getType() {
            return "marking";
        }

        @Override
        public String getTag() {
            return null;
        }

        @Override
        public String getDescription() {
            return null;
        }
    }

    private Processor processor(String more) {
        return node.processor("{'url': '" + sidecar.url() + "'" + more + "}");
    }

    private static void assertEmbedded(IngestDocumentWrapper result, String text) {
        assertNull(result.getException());
        assertVector(result.getIngestDocument(), "v", "h", text);
    }

    private static void assertVector(IngestDocument document, String vector, String hash, String text) {
        assertEquals(
                new FloatList(FakeSidecar.vector(text)), document.getFieldValue(vector, List.class));
        assertEquals(
                DocumentText.vectorHash(FakeSidecar.FINGERPRINT, text),
                document.getFieldValue(hash, String.class));
    }
}
