package org.rankside.elasticsearch.ingest;

import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.elasticsearch.ingest.AbstractProcessor;
import org.elasticsearch.ingest.IngestDocument;
import org.rankside.ingest.Embedder;

/**
 * Gives documents the vectors that searches rerank them by.
 *
 * <p>The engine hands the documents of a bulk request over one by one and waits for none of them, so
 * that they meet in the node's queue and are embedded together; each fails for itself.
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
    public boolean isAsync() {
        return true;
    }

    @Override
    public void execute(IngestDocument document, BiConsumer<IngestDocument, Exception> handler) {
        // What comes after a call runs on another thread, for the same user.
        Supplier<ThreadContext.StoredContext> context = threads.newRestorableContext(true);
        embedder.embed(
                List.of(new NodeDocument(document)),
                failures -> hand(document, failures.getFirst(), handler, context));
    }

    @SuppressWarnings("try") // a context is there to be closed, not to be read
    private static void hand(
            IngestDocument document,
            Exception failure,
            BiConsumer<IngestDocument, Exception> handler,
            Supplier<ThreadContext.StoredContext> context) {
        try (ThreadContext.StoredContext here = context.get()) {
            if (failure == null) {
                goOn(document, handler);
            } else {
                handler.accept(null, NodeDocument.told(failure));
            }
        } catch (RuntimeException uncaught) { // which nobody else would hear of
            LOG.error("the pipeline cannot go on after [{}]", TYPE, uncaught);
        }
    }

    /**
     * Goes on with the pipeline; where what comes after throws, as for a document that cannot be written
     * as JSON, the document fails, since its bulk request waits for a word about it.
     */
    private static void goOn(IngestDocument document, BiConsumer<IngestDocument, Exception> handler) {
        try {
            handler.accept(document, null);
        } catch (RuntimeException error) {
            handler.accept(null, error);
        }
    }
}
