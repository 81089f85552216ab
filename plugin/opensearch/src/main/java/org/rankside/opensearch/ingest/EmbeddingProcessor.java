package org.rankside.opensearch.ingest;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.opensearch.common.util.concurrent.ThreadContext;
import org.opensearch.ingest.AbstractProcessor;
import org.opensearch.ingest.IngestDocument;
import org.opensearch.ingest.IngestDocumentWrapper;
import org.rankside.ingest.Embedder;

/**
 * Gives documents the vectors that searches rerank them by.
 *
 * <p>Documents of one bulk request are embedded together, without a thread that waits for it; each
 * fails for itself.
 */
final class EmbeddingProcessor extends AbstractProcessor {
    static final String TYPE = "rankside_embedding";

    private static final Logger LOG = LogManager.getLogger(EmbeddingProcessor.class);

    private final Embedder embedder;
    private final ThreadContext threads;

    EmbeddingProcessor(String tag, String description, Embedder embedder, ThreadContext threads) {
        super(tag, description);
        this.embedder = embedder;
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
        List<WrappedDocument> documents = slice.stream().map(WrappedDocument::new).toList();
        embedder.embed(
                documents, failures -> hand(finished(documents, failures), handler, context));
    }

    private static List<IngestDocumentWrapper> finished(
            List<WrappedDocument> documents, List<Exception> failures) {
        List<IngestDocumentWrapper> finished = new ArrayList<>();
        for (int at = 0; at < documents.size(); at++) {
            finished.add(documents.get(at).finished(failures.get(at)));
        }
        return finished;
    }

    @SuppressWarnings("try") // a context is there to be closed, not to be read
    private static void hand(
            List<IngestDocumentWrapper> finished,
            Consumer<List<IngestDocumentWrapper>> handler,
            Supplier<ThreadContext.StoredContext> context) {
        try (ThreadContext.StoredContext here = context.get()) {
            handler.accept(finished);
        } catch (RuntimeException uncaught) { // which nobody else would hear of
            LOG.error("the pipeline cannot go on after [{}]", TYPE, uncaught);
        }
    }
}
