package org.rankside.ingest;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * What a processor does with documents that come together: gives them their vectors, without a thread
 * that waits. Each fails for itself.
 */
public final class Embedder {
    private final EmbeddingParameters parameters;
    private final Targets targets;
    private final EmbeddingQueue queue;

    public Embedder(EmbeddingParameters parameters, Targets targets, EmbeddingQueue queue) {
        this.parameters = parameters;
        this.targets = targets;
        this.queue = queue;
    }

    /**
     * Embeds them and tells {@code done} of each, in their order, what went wrong; null where nothing
     * did. It is told on the thread of the caller, or one of the sidecars' completions.
     */
    public void embed(List<? extends Document> given, Consumer<List<Exception>> done) {
        List<EmbeddedDocument> documents = given.stream().map(EmbeddedDocument::new).toList();
        Map<String, CompletableFuture<List<Target>>> byIndex = new HashMap<>();
        for (EmbeddedDocument document : documents) {
            byIndex.computeIfAbsent(document.index(), name -> targets.of(name, parameters, queue));
        }
        settled(byIndex.values())
                .thenCompose(any -> settled(vectors(documents, byIndex)))
                .whenComplete((any, error) -> done.accept(finished(documents, error)));
    }

    private List<CompletableFuture<float[]>> vectors(
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

    private static List<Exception> finished(List<EmbeddedDocument> documents, Throwable error) {
        List<Exception> failures = new ArrayList<>(); // with nulls, which other lists refuse
        for (EmbeddedDocument document : documents) {
            failures.add(document.finished(error));
        }
        return failures;
    }

    /** Done when all of them are, well or not. */
    private static CompletableFuture<Void> settled(Collection<? extends CompletableFuture<?>> futures) {
        return CompletableFuture.allOf(futures.toArray(CompletableFuture[]::new))
                .exceptionally(any -> null);
    }
}
