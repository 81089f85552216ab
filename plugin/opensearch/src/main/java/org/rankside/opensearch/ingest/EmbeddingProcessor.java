package org.rankside.opensearch.ingest;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.opensearch.common.util.concurrent.ThreadContext;
import org.opensearch.ingest.AbstractProcessor;
import org.opensearch.ingest.IngestDocument;
import org.opensearch.ingest.IngestDocumentWrapper;

/**
 * Gives documents the vectors that searches rerank them by.
 *
 * <p>Documents of one bulk request are embedded together, without a thread that waits for it; each
 * fails for itself.
 */
final class EmbeddingProcessor extends AbstractProcessor {
    static final String TYPE = "rankside_embedding";

    private static final Logger LOG = LogManager.getLogger(EmbeddingProcessor.class);

    private final EmbeddingParameters parameters;
    private final Targets targets;
    private final EmbeddingQueue queue;
    private final ThreadContext threads;

    EmbeddingProcessor(
            String tag,
            String description,
            EmbeddingParameters parameters,
            Targets targets,
            EmbeddingQueue queue,
            ThreadContext threads) {
        super(tag, description);
        this.parameters = parameters;
        this.targets = targets;
        this.queue = queue;
        this.threads = threads;
    }

    @Override
    public String getType() {
        return TYPE;
    }

    @Override
    public IngestDocument execute(IngestDocument document) {
        throw new UnsupportedOperationException("a document is embedded asynchronously");
    }

    @Override
    public void execute(IngestDocument document, BiConsumer<IngestDocument, Exception> handler) {
        batchExecute(
                List.of(new IngestDocumentWrapper(0, 0, document, null)),
                results -> {
                    IngestDocumentWrapper result = results.getFirst();
                    handler.accept(result.getIngestDocument(), result.getException());
                });
    }

    @Override
    public void batchExecute(
            List<IngestDocumentWrapper> slice, Consumer<List<IngestDocumentWrapper>> handler) {
        // What comes after a call runs on another thread, for the same user.
        Supplier<ThreadContext.StoredContext> context = threads.newRestorableContext(true);
        List<EmbeddedDocument> documents = slice.stream().map(EmbeddedDocument::new).toList();
        Map<String, CompletableFuture<List<Target>>> byIndex = new HashMap<>();
        for (EmbeddedDocument document : documents) {
            byIndex.computeIfAbsent(document.index(), name -> targets.of(name, parameters, queue));
        }
        settled(byIndex.values())
                .thenCompose(any -> settled(embed(documents, byIndex)))
                .whenComplete((any, error) -> hand(documents, error, handler, context));
    }

    private List<CompletableFuture<float[]>> embed(
            List<EmbeddedDocument> documents, Map<String, CompletableFuture<List<Target>>> byIndex) {
        List<Batch.Job> jobs = new ArrayList<>();
        for (EmbeddedDocument document : documents) {
            jobs.addAll(
                    document.jobs(
                            parameters.asking(), byIndex.get(document.index()), parameters.skipExisting()));
        }
        queue.embed(parameters.asking(), jobs);
        return jobs.stream().map(Batch.Job::vector).toList();
    }

    @SuppressWarnings("try") // a context is there to be closed, not to be read
    private static void hand(
            List<EmbeddedDocument> documents,
            Throwable error,
            Consumer<List<IngestDocumentWrapper>> handler,
            Supplier<ThreadContext.StoredContext> context) {
        List<IngestDocumentWrapper> finished =
                documents.stream().map(document -> document.finished(error)).toList();
        try (ThreadContext.StoredContext here = context.get()) {
            handler.accept(finished);
        } catch (RuntimeException uncaught) { // which nobody else would hear of
            LOG.error("the pipeline cannot go on after [{}]", TYPE, uncaught);
        }
    }

    /** Done when all of them are, well or not. */
    private static CompletableFuture<Void> settled(Collection<? extends CompletableFuture<?>> futures) {
        return CompletableFuture.allOf(futures.toArray(CompletableFuture[]::new))
                .exceptionally(any -> null);
    }
}
