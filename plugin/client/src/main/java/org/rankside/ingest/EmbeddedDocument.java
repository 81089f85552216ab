package org.rankside.ingest;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.rankside.client.DocumentText;

/** A document on its way through the processor, with the vectors that it is to get. */
final class EmbeddedDocument {
    private final Document document;
    private final List<Part> parts = new ArrayList<>();
    private Exception failure;

    /** A vector to be. */
    private record Part(Target target, String hash, CompletableFuture<float[]> vector) {}

    EmbeddedDocument(Document document) {
        this.document = document;
    }

    String index() {
        return document.index();
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
     * Gives the document its vectors, which are there by now or have failed: all of them, or none.
     * Comes back with what went wrong, or null.
     *
     * @param error what went wrong for all documents, or null
     */
    Exception finished(Throwable error) {
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
        return failure;
    }

    private Optional<Batch.Job> job(Asking asking, Target target, boolean keep) {
        String text = DocumentText.of(document.source(), target.textFields());
        String hash = DocumentText.vectorHash(target.fingerprint(), text);
        boolean fresh = !text.isEmpty() && isThere(target, hash);
        if (!fresh) {
            document.remove(target.vectorField());
            document.remove(target.hashField());
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
            document.set(part.target.vectorField(), new FloatList(now(part.vector)));
            document.set(part.target.hashField(), part.hash);
        }
    }

    private boolean isThere(Target target, String hash) {
        return hash.equals(document.value(target.hashField()))
                && document.value(target.vectorField()) instanceof List<?> numbers
                && !numbers.isEmpty()
                && (target.dimensions() == 0 || numbers.size() == target.dimensions());
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
