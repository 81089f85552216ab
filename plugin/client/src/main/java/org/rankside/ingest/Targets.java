package org.rankside.ingest;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.rankside.client.IndexMeta;
import org.rankside.client.Models;

/** Of an index, what a processor is to fill in its documents. */
public final class Targets {
    private final Function<String, Mapping> mappings;

    /**
     * @param mappings the mapping of the index that a document for a name is written to; throws what a
     *     client is to be told
     */
    public Targets(Function<String, Mapping> mappings) {
        this.mappings = mappings;
    }

    /**
     * The vector fields of the index that a document for {@code name} is written to, each with the
     * fingerprint of its model. Fails with what a client is to be told.
     */
    CompletableFuture<List<Target>> of(String name, EmbeddingParameters parameters, EmbeddingQueue queue) {
        List<Target> targets;
        try {
            Mapping mapping = mappings.apply(name);
            targets =
                    parameters.fields().stream()
                            .map(names -> Target.of(mapping, names, parameters.fingerprint()))
                            .toList();
        } catch (RuntimeException error) {
            return CompletableFuture.failedFuture(error);
        }
        if (targets.stream().allMatch(target -> target.fingerprint() != null)) {
            return CompletableFuture.completedFuture(targets);
        }
        return queue.encoder(parameters.asking())
                .thenApply(card -> targets.stream().map(target -> named(target, card)).toList());
    }

    /** While an index is being re-embedded its fingerprint is empty, but the model is known by name. */
    private static Target named(Target target, Models.Card card) {
        if (target.fingerprint() != null) {
            return target;
        }
        IndexMeta wanted = target.model();
        if (!wanted.model().equals(card.id())
                || !wanted.revision().equals(card.revision())
                || wanted.dimensions() != card.dimensions()) {
            throw new IllegalArgumentException(
                    "index [" + target.index() + "] is being re-embedded with " + wanted.model() + " "
                            + wanted.revision() + " and the sidecar serves " + card.id() + " "
                            + card.revision() + "; start it with the model of the index");
        }
        return target.of(card.fingerprint());
    }
}
