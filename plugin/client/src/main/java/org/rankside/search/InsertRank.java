package org.rankside.search;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
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
     * A judgement on the head of {@code hits}.
     *
     * @param window the same hits in first-stage order
     */
    CompletableFuture<Judgement> judge(List<WindowHit> hits, List<WindowHit> window) {
        return promptHits()
                .thenCompose(
                        size -> windows.withTexts(hits.subList(0, Math.min(size, hits.size()))))
                .thenCompose(head -> judged(head, window));
    }

    private CompletableFuture<Judgement> judged(List<WindowHit> head, List<WindowHit> window) {
        List<WindowHit> shown = head.stream().map(WindowHit::withoutVector).toList();
        Rank.Call call = new Rank.Call(questions.about(shown, null), "insertrank");
        return sidecar.llm()
                .thenCombine(
                        sidecar.rank(call),
                        (card, answer) -> {
                            if (answer.status().equals("passed_through")) {
                                throw PassThrough.bySidecar(answer.reason());
                            }
                            return new Judgement(
                                    window,
                                    List.of(moved(head, answer.ids())),
                                    card.id(),
                                    Map.of(),
                                    Judgement.partial(answer.status(), answer.reason()),
                                    Judgement.total(answer.timings()));
                        });
    }

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
