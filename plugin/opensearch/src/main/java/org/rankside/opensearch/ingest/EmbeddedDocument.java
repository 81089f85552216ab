package org.rankside.opensearch.ingest;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.opensearch.ingest.IngestDocument;
import org.opensearch.ingest.IngestDocumentWrapper;
import org.rankside.client.DocumentText;

/** A document on its way through the processor, with the vectors that it is to get. */
final class EmbeddedDocument {
    private final IngestDocumentWrapper given;
    private final IngestDocument document;
    private final List<Part> parts = new ArrayList<>();
    private Exception failure;

    /** A vector to be. */
    private record Part(Target target, String hash, CompletableFuture<float[]> vector) {}

    EmbeddedDocument(IngestDocumentWrapper given) {
        this.given = given;
        this.document = given.getIngestDocument();
    }

    /** The index, alias or data stream it is written to. */
    String index() {
        String field = IngestDocument.Metadata.INDEX.getFieldName();
        return String.valueOf(document.getSourceAndMetadata().get(field));
    }

    /**
     * The texts that are to be embedded.
     *
     * <p>What is stale is taken from the document at once: one whose failure is ignored is indexed
     * without a vector rather than with that of another text.
     *
     * @param targets there, or failed
     * @param keep whether a vector of this text and model is good as it is
     */
    List<Batch.Job> jobs(Asking asking, CompletableFuture<List<Target>> targets, boolean keep) {
        List<Batch.Job> jobs = new ArrayList<>();
        try {
            for (Target target : now(targets)) {
                job(asking, target, keep).ifPresent(jobs::add);
            }
        } catch (Exception error) {
            failure = error;
            return List.of();
        }
        return jobs;
    }

    /**
     * The document with its vectors, which are there by now or have failed: all of them, or why not.
     *
     * <p>It is a wrapper of its own, since where failures are ignored the engine goes on with the one
     * that it gave.
     *
     * @param error what went wrong for all documents, or null
     */
    IngestDocumentWrapper finished(Throwable error) {
        try {
            if (error != null) {
                throw new IllegalStateException("the document was not embedded", error);
            }
            if (failure == null) {
                write();
            }
        } catch (Exception cause) {
            failure = cause;
        }
        return new IngestDocumentWrapper(
                given.getSlot(), given.getChildSlot(), failure == null ? document : null, failure);
    }

    private Optional<Batch.Job> job(Asking asking, Target target, boolean keep) {
        String text = DocumentText.of(document.getSourceAndMetadata(), target.textFields());
        String hash = DocumentText.vectorHash(target.fingerprint(), text);
        boolean fresh = !text.isEmpty() && isThere(target, hash);
        if (!fresh) {
            remove(target.vectorField());
            remove(target.hashField());
        }
        if (text.isEmpty() || (fresh && keep)) {
            return Optional.empty();
        }
        Part part = new Part(target, hash, new CompletableFuture<>());
        parts.add(part);
        return Optional.of(new Batch.Job(asking, target.fingerprint(), text, part.vector));
    }

    private void write() throws Exception {
        for (Part part : parts) {
            check(part.target, now(part.vector));
        }
        for (Part part : parts) {
            document.setFieldValue(part.target.vectorField(), new FloatList(now(part.vector)));
            document.setFieldValue(part.target.hashField(), part.hash);
        }
    }

    private boolean isThere(Target target, String hash) {
        Object vector = document.getFieldValue(target.vectorField(), Object.class, true);
        return hash.equals(document.getFieldValue(target.hashField(), Object.class, true))
                && vector instanceof List<?> numbers
                && !numbers.isEmpty()
                && (target.dimensions() == 0 || numbers.size() == target.dimensions());
    }

    private void remove(String field) {
        if (document.hasField(field)) {
            document.removeField(field);
        }
    }

    /** What a future that is done holds, or what made it fail. */
    private static <T> T now(CompletableFuture<T> done) throws Exception {
        try {
            return done.join();
        } catch (CompletionException error) {
            throw error.getCause() instanceof Exception cause ? cause : error;
        }
    }

    private static void check(Target target, float[] vector) {
        if (target.dimensions() != 0 && vector.length != target.dimensions()) {
            throw new IllegalArgumentException(
                    "the sidecar's vectors have " + vector.length + " dimensions and field ["
                            + target.vectorField() + "] of index [" + target.index() + "] has "
                            + target.dimensions() + "; start it with the model that the index is made for");
        }
    }
}
