package org.rankside.search;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.rankside.client.Listwise;
import org.rankside.client.Models;
import org.rankside.client.RescoreWeights;

/** Judges a window by one vector that the sidecar makes of its first hits. */
final class E2Rank {
    private final Parameters parameters;
    private final Target target;
    private final Questions questions;
    private final Sidecar sidecar;

    E2Rank(Parameters parameters, Target target, Questions questions, Sidecar sidecar) {
        this.parameters = parameters;
        this.target = target;
        this.questions = questions;
        this.sidecar = sidecar;
    }

    /**
     * How much of the window it needs.
     *
     * @param whole whether every hit of it is wanted in any case
     */
    CompletableFuture<Wanted> wanted(boolean whole) {
        return sidecar.encoder()
                .thenApply(
                        card -> {
                            int prompt = promptHits(card);
                            boolean rocchio = weight(card, "rocchio") > 0;
                            return new Wanted(
                                    weight(card, "listwise") > 0 ? prompt : 0,
                                    whole ? parameters.window() : prompt,
                                    rocchio ? Math.min(card.rocchioHits(), prompt) : 0);
                        });
    }

    /**
     * A judgement on {@code hits}, the window's first ones.
     *
     * @param exact whether these alone may be rescored
     */
    CompletableFuture<Judgement> judge(List<WindowHit> hits, boolean exact) {
        return sidecar.encoder()
                .thenCompose(
                        card ->
                                sidecar.listwise(call(card, hits))
                                        .thenApply(answer -> judged(answer, card, hits, exact)));
    }

    private Listwise.Call call(Models.Card card, List<WindowHit> hits) {
        List<WindowHit> prompt = hits.subList(0, Math.min(promptHits(card), hits.size()));
        String of = target.fingerprint() == null ? card.fingerprint() : target.fingerprint();
        return new Listwise.Call(
                questions.about(prompt, of), target.dimensions(), parameters.promptHits());
    }

    private Judgement judged(
            Listwise.Answer answer, Models.Card card, List<WindowHit> hits, boolean exact) {
        checkModel(answer, card);
        if (answer.vector() == null) {
            throw PassThrough.bySidecar(answer.reason());
        }
        if (hits.stream().allMatch(one -> one.stale(target.fingerprint()))) {
            throw mismatch("of another fingerprint than " + answer.model().name() + "'s");
        }
        boolean hashed = target.hashField() != null && target.fingerprint() != null;
        Comparison by =
                new Comparison(
                        target.vectorField(),
                        answer.vector(),
                        hashed ? target.hashField() : null,
                        hashed ? target.fingerprint() : null);
        List<Place> places = hits.stream().map(WindowHit::place).toList();
        RescoreWeights weights =
                RescoreWeights.of(answer.firstStageWeight(), Ordering.highest(hits));
        Step step = new Step.ByVector(by, exact ? places : null, weights);
        List<String> reasons =
                new ArrayList<>(Judgement.partial(answer.status(), answer.reason()));
        reasons.addAll(unscored(hits));
        return new Judgement(
                hits,
                List.of(step),
                answer.model().name(),
                answer.signals(),
                reasons,
                null,
                Judgement.total(answer.timings()));
    }

    private int promptHits(Models.Card card) {
        int said = parameters.promptHits() > 0 ? parameters.promptHits() : card.promptHits();
        return Math.min(said, parameters.window());
    }

    /** Of a signal; a model without a fusion of its own goes by the listwise signal alone. */
    private double weight(Models.Card card, String signal) {
        Map<String, Double> fusion =
                parameters.fusion() != null ? parameters.fusion() : card.fusion();
        return fusion == null
                ? (signal.equals("listwise") ? 1 : 0)
                : fusion.getOrDefault(signal, 0.0);
    }

    /** Vectors of two models are not compared. */
    private void checkModel(Listwise.Answer answer, Models.Card card) {
        String found = answer.model().fingerprint();
        if (!found.equals(card.fingerprint())) {
            sidecar.forget();
        }
        String wanted = target.fingerprint();
        if (wanted != null && !found.equals(wanted)) {
            throw mismatch(wanted + ", and the sidecar's " + answer.model().name() + " is " + found);
        }
        float[] vector = answer.vector();
        if (vector != null && target.dimensions() != 0 && vector.length != target.dimensions()) {
            throw new PassThrough(
                    "unusable_answer",
                    "the sidecar's vector has " + vector.length + " dimensions and the index's "
                            + target.dimensions() + "; check its model");
        }
    }

    private static PassThrough mismatch(String found) {
        return new PassThrough(
                "stale_vectors",
                "the vectors of this index are " + found + "; run `rankside backfill`, or serve the"
                        + " index's model");
    }

    /** How many of the hits that were looked at have no vector of ours, or one of another model. */
    private List<String> unscored(List<WindowHit> hits) {
        Map<String, Long> counts = new LinkedHashMap<>();
        counts.put(
                "not_embedded",
                hits.stream()
                        .filter(one -> one.fingerprint() != null && one.fingerprint().isEmpty())
                        .count());
        counts.put(
                "stale_vector", hits.stream().filter(one -> one.stale(target.fingerprint())).count());
        List<String> reasons = new ArrayList<>();
        counts.forEach(
                (reason, count) -> {
                    if (count > 0) {
                        reasons.add(reason + ":" + count);
                    }
                });
        target.lacking().forEach(index -> reasons.add("no_vectors_in:" + index));
        return reasons;
    }
}
