package org.rankside.search;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.rankside.client.Models;
import org.rankside.client.Rank;

/** Judges the head of a window by an LLM that is shown texts and first-stage scores. */
final class InsertRank {
    private final Parameters parameters;
    private final Questions questions;
    private final Sidecar sidecar;
    private final Windows<?> windows;

    InsertRank(
            Parameters parameters, Questions questions, Sidecar sidecar, Windows<?> windows) {
        this.parameters = parameters;
        this.questions = questions;
        this.sidecar = sidecar;
        this.windows = windows;
    }

    /**
     * How much of the window it needs.
     *
     * @param whole whether every hit of it is wanted in any case
     */
    CompletableFuture<Wanted> wanted(boolean whole) {
        return promptHits()
                .thenApply(texts -> new Wanted(texts, whole ? parameters.window() : texts, 0));
    }

    /**
     * A judgement on the head of {@code hits}, which are in first-stage order.
     */
    CompletableFuture<Judgement> judge(List<WindowHit> hits) {
        return asked(hits, null).thenCombine(sidecar.llm(), (asked, card) -> judged(asked, card, hits));
    }

    /**
     * {@code first}, and a judgement on the head of the order it gives.
     *
     * @param hits in that order
     * @param scores that it gave, falling
     */
    CompletableFuture<Judgement> after(
            Judgement first, List<WindowHit> hits, List<Double> scores) {
        return asked(hits, scores)
                .thenCombine(
                        sidecar.llm(),
                        (asked, card) ->
                                asked.answer().settled()
                                        ? first.settled(asked.answer().reason())
                                        : first.then(judged(asked, card, first.window())));
    }

    private CompletableFuture<Asked> asked(List<WindowHit> hits, List<Double> scores) {
        return promptHits()
                .thenCompose(
                        size -> windows.withTexts(hits.subList(0, Math.min(size, hits.size()))))
                .thenCompose(
                        head -> sidecar.rank(call(head, scores)).thenApply(answer -> new Asked(head, answer)));
    }

    private Rank.Call call(List<WindowHit> head, List<Double> scores) {
        List<WindowHit> shown = head.stream().map(WindowHit::withoutVector).toList();
        Duration most = parameters.llmTimeout();
        Double millis = most == null ? null : most.toNanos() / 1e6;
        return new Rank.Call(questions.about(shown, null), "insertrank", millis, scores);
    }

    private static Judgement judged(Asked asked, Models.Card card, List<WindowHit> window) {
        Rank.Answer answer = asked.answer();
        if (answer.status().equals("passed_through")) {
            throw PassThrough.bySidecar(answer.reason());
        }
        return new Judgement(
                window,
                List.of(moved(asked.head(), answer.ids())),
                card.id(),
                Map.of(),
                Judgement.partial(answer.status(), answer.reason()),
                null,
                Judgement.total(answer.timings()));
    }

    private record Asked(List<WindowHit> head, Rank.Answer answer) {}

    /** How many hits the LLM is shown: of what it takes, no more than the search asks for. */
    private CompletableFuture<Integer> promptHits() {
        boolean says = parameters.strategy() == Strategy.CASCADE && parameters.head() > 0;
        int asked = says ? Math.min(parameters.head(), parameters.window()) : parameters.window();
        return sidecar.llm()
                .thenApply(
                        card ->
                                card.promptHits() > 0
                                        ? Math.min(card.promptHits(), asked)
                                        : asked);
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
}
