package org.rankside.search;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** One search's question to the sidecar: find the window, read what is wanted of it, have it judged. */
public final class Asking {
    private final Judge judge;
    private final Windows<?> windows;
    private final Timings timings;

    /** One of a search. */
    public Asking(Judge judge, Windows<?> windows, Timings timings) {
        this.judge = judge;
        this.windows = windows;
        this.timings = timings;
    }

    /**
     * A judgement on the first stage's first hits.
     *
     * @param whole whether every hit of the window is wanted, to tell where it was
     */
    public CompletableFuture<Judgement> aboutWindow(boolean whole) {
        return judge.wanted(whole)
                .thenCompose(wanted -> timings.of("window", windows.window(wanted)))
                .thenCompose(this::judged);
    }

    /** A judgement on {@code hits}, of which nothing was fetched, and their order by it. */
    public CompletableFuture<Ordered> aboutHits(List<WindowHit> hits) {
        return judge.wanted(false)
                .thenCompose(wanted -> timings.of("window", read(hits, wanted)))
                .thenCompose(
                        read ->
                                judged(read)
                                        .thenCompose(
                                                judgement ->
                                                        judge.ordered(read, judgement.steps())
                                                                .thenApply(
                                                                        order ->
                                                                                new Ordered(
                                                                                        judgement,
                                                                                        order))));
    }

    /** Hits in the order that a judgement gives them. */
    public record Ordered(Judgement judgement, List<WindowHit> hits) {}

    private CompletableFuture<Judgement> judged(List<WindowHit> window) {
        if (window.isEmpty()) {
            throw new PassThrough("no_hits");
        }
        return timings.of("sidecar", judge.judge(window));
    }

    private CompletableFuture<List<WindowHit>> read(List<WindowHit> hits, Wanted wanted) {
        int texts = Math.min(wanted.texts(), hits.size());
        int vectors = Math.min(wanted.vectors(), hits.size());
        return windows.withTexts(hits.subList(0, texts))
                .thenApply(head -> joined(head, hits))
                .thenCompose(
                        all ->
                                windows.withVectors(all.subList(0, vectors))
                                        .thenApply(head -> joined(head, all)));
    }

    private static List<WindowHit> joined(List<WindowHit> head, List<WindowHit> all) {
        List<WindowHit> both = new ArrayList<>(head);
        both.addAll(all.subList(head.size(), all.size()));
        return both;
    }
}
