package org.rankside.opensearch.search;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.rankside.client.Listwise;
import org.rankside.client.Models;
import org.rankside.client.Question;
import org.rankside.client.Rank;
import org.rankside.client.RescoreWeights;
import org.rankside.client.SidecarException;
import org.rankside.opensearch.vector.VectorQueryBuilder;

/** Asks the sidecar about the window of one search; {@code connectors/judgement.py} does the same. */
final class Judge {
    private final Parameters parameters;
    private final Target target;
    private final String text;
    private final Sidecar sidecar;
    private final WindowSearch windows;

    Judge(
            Parameters parameters,
            Target target,
            String text,
            Sidecar sidecar,
            WindowSearch windows) {
        this.parameters = parameters;
        this.target = target;
        this.text = text;
        this.sidecar = sidecar;
        this.windows = windows;
    }

    /**
     * How much of the window the strategy needs.
     *
     * @param whole whether every hit of it is wanted in any case
     */
    CompletableFuture<Wanted> wanted(boolean whole) {
        if (parameters.strategy() == Strategy.INSERTRANK) {
            return llmHits()
                    .thenApply(texts -> new Wanted(texts, whole ? parameters.window() : texts, 0));
        }
        return sidecar.encoder()
                .thenApply(
                        card -> {
                            int prompt = promptHits(card);
                            boolean ids =
                                    whole
                                            || parameters.exactWindow()
                                            || parameters.strategy() == Strategy.CASCADE;
                            return new Wanted(
                                    weight(card, "listwise") > 0 ? prompt : 0,
                                    ids ? parameters.window() : prompt,
                                    weight(card, "rocchio") > 0
                                            ? Math.min(card.rocchioHits(), prompt)
                                            : 0);
                        });
    }

    /**
     * Puts {@code hits}, the window's first ones, in order.
     *
     * <p>The future fails with a {@link PassThrough} where nothing can be done for this search, and
     * with a {@link SidecarException} where the sidecar failed.
     */
    CompletableFuture<Judgement> judge(List<WindowHit> hits) {
        return switch (parameters.strategy()) {
            case INSERTRANK -> insertrank(hits, hits);
            case CASCADE -> cascade(hits);
            default -> e2rank(hits, parameters.exactWindow());
        };
    }

    /** {@code hits} in the order that {@code steps} give them, as the engine's rescore would. */
    CompletableFuture<List<WindowHit>> ordered(List<WindowHit> hits, List<Step> steps) {
        CompletableFuture<List<WindowHit>> ordered = CompletableFuture.completedFuture(hits);
        List<Place> places = hits.stream().map(WindowHit::place).toList();
        for (Step step : steps) {
            ordered =
                    switch (step) {
                        case Step.ByVector by ->
                                ordered.thenCombine(
                                        windows.scores(places, by.query()),
                                        (list, scores) -> Rescorers.ordered(list, by, scores));
                        case Step.ByOrder by -> ordered.thenApply(list -> Rescorers.ordered(list, by));
                    };
        }
        return ordered;
    }

    private CompletableFuture<Judgement> e2rank(List<WindowHit> hits, boolean exact) {
        return sidecar.encoder()
                .thenCompose(
                        card -> {
                            List<WindowHit> prompt = first(hits, promptHits(card));
                            String of =
                                    target.fingerprint() == null
                                            ? card.fingerprint()
                                            : target.fingerprint();
                            Listwise.Call call =
                                    new Listwise.Call(
                                            question(prompt, of),
                                            target.dimensions(),
                                            parameters.promptHits());
                            return sidecar.listwise(call)
                                    .thenApply(answer -> byVector(answer, card, hits, exact));
                        });
    }

    private Judgement byVector(
            Listwise.Answer answer, Models.Card card, List<WindowHit> hits, boolean exact) {
        checkModel(answer, card);
        if (answer.vector() == null) {
            throw passedThrough(answer.reason());
        }
        if (hits.stream().allMatch(one -> one.stale(target.fingerprint()))) {
            throw mismatch("of another fingerprint than " + answer.model().name() + "'s");
        }
        VectorQueryBuilder query = new VectorQueryBuilder(target.vectorField(), answer.vector());
        if (target.hashField() != null && target.fingerprint() != null) {
            query.hashes(target.hashField(), target.fingerprint());
        }
        RescoreWeights weights =
                RescoreWeights.of(answer.firstStageWeight(), Rescorers.highest(hits));
        Step step =
                new Step.ByVector(
                        exact ? Places.only(places(hits), query) : query, weights);
        List<String> reasons = new ArrayList<>(partial(answer.status(), answer.reason()));
        reasons.addAll(unscored(hits));
        return new Judgement(
                hits,
                List.of(step),
                answer.model().name(),
                answer.signals(),
                reasons,
                total(answer.timings()));
    }

    private CompletableFuture<Judgement> insertrank(List<WindowHit> hits, List<WindowHit> window) {
        return llmHits()
                .thenCompose(size -> windows.withTexts(first(hits, size)))
                .thenCompose(head -> ranked(head, window));
    }

    private CompletableFuture<Judgement> ranked(List<WindowHit> head, List<WindowHit> window) {
        Rank.Call call = new Rank.Call(question(withoutVectors(head), null), "insertrank");
        return sidecar.llm()
                .thenCombine(
                        sidecar.rank(call),
                        (card, answer) -> {
                            if (answer.status().equals("passed_through")) {
                                throw passedThrough(answer.reason());
                            }
                            return new Judgement(
                                    window,
                                    List.of(moved(head, answer.ids())),
                                    card.id(),
                                    Map.of(),
                                    partial(answer.status(), answer.reason()),
                                    total(answer.timings()));
                        });
    }

    /** E2Rank over the window, then the LLM over its head, shown with first-stage scores. */
    private CompletableFuture<Judgement> cascade(List<WindowHit> hits) {
        return e2rank(hits, true)
                .thenCompose(
                        first ->
                                ordered(hits, first.steps())
                                        .thenCompose(ordered -> insertrank(ordered, hits))
                                        .thenApply(first::then)
                                        .exceptionally(error -> headless(first, error)));
    }

    private Judgement headless(Judgement first, Throwable error) {
        Throwable cause = Failures.cause(error);
        if (parameters.onFailure() == OnFailure.FAIL) {
            throw new CompletionException(cause);
        }
        return first.headless(Failures.of(cause).reason());
    }

    private Question question(List<WindowHit> hits, String fingerprint) {
        return new Question(
                text,
                hits.stream().map(one -> one.asked(target.fingerprint())).toList(),
                sidecar.leftMillis(),
                fingerprint,
                parameters.instruction(),
                parameters.fusion());
    }

    /** How many hits the LLM's prompt holds. */
    private CompletableFuture<Integer> llmHits() {
        return sidecar.llm()
                .thenApply(
                        card ->
                                card.promptHits() > 0
                                        ? Math.min(card.promptHits(), parameters.window())
                                        : parameters.window());
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

    private static PassThrough passedThrough(String reason) {
        String word = reason == null ? "sidecar" : reason;
        return new PassThrough(
                word, "the sidecar passed the search through (" + word + "); see its log");
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

    /** The head up to the last hit that is not where it was; the rest stays in place by itself. */
    private static Step moved(List<WindowHit> head, List<String> after) {
        Map<String, Place> places = new LinkedHashMap<>();
        head.forEach(one -> places.put(one.place().name(), one.place()));
        int moved = 0;
        for (int rank = 0; rank < after.size(); rank++) {
            if (!head.get(rank).place().name().equals(after.get(rank))) {
                moved = rank + 1;
            }
        }
        return new Step.ByOrder(after.subList(0, moved).stream().map(places::get).toList());
    }

    private static List<WindowHit> withoutVectors(List<WindowHit> hits) {
        return hits.stream().map(one -> one.withVector(null)).toList();
    }

    private static List<Place> places(List<WindowHit> hits) {
        return hits.stream().map(WindowHit::place).toList();
    }

    private static <T> List<T> first(List<T> all, int count) {
        return all.subList(0, Math.min(all.size(), count));
    }

    private static List<String> partial(String status, String reason) {
        return status.equals("partial") ? List.of(reason == null ? "sidecar" : reason) : List.of();
    }

    private static double total(Map<String, Object> timings) {
        return timings.get("total") instanceof Number millis ? millis.doubleValue() : 0;
    }
}
