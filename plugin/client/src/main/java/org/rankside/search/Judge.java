package org.rankside.search;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.rankside.client.Listwise;
import org.rankside.client.Rank;
import org.rankside.client.SidecarException;
import org.rankside.client.Sidecars;

/** Asks the sidecar about the window of one search; {@code connectors/judgement.py} does the same. */
public final class Judge {
    private final Parameters parameters;
    private final E2Rank e2rank;
    private final InsertRank insertrank;
    private final Sidecar sidecar;
    private final Windows<?> windows;

    /**
     * For one search.
     *
     * @param text to rank for
     */
    public Judge(
            Parameters parameters,
            Target target,
            String text,
            Windows<?> windows,
            Sidecars sidecars,
            Work work,
            Deadline deadline) {
        this.sidecar = new Sidecar(sidecars, work, parameters, deadline);
        Questions questions = new Questions(parameters, target, text, sidecar);
        this.parameters = parameters;
        this.e2rank = new E2Rank(parameters, target, questions, sidecar);
        this.insertrank = new InsertRank(parameters, questions, sidecar, windows);
        this.windows = windows;
    }

    /**
     * How much of the window the strategy needs.
     *
     * <p>The future fails where the sidecar would not be asked about it now: a search that passes
     * through in any case is to cost the engine nothing.
     *
     * @param whole whether every hit of it is wanted in any case
     */
    public CompletableFuture<Wanted> wanted(boolean whole) {
        boolean llm = parameters.strategy() == Strategy.INSERTRANK;
        Optional<SidecarException> refusal = sidecar.refusal(llm ? Rank.PATH : Listwise.PATH);
        if (refusal.isPresent()) {
            return CompletableFuture.failedFuture(refusal.get());
        }
        return switch (parameters.strategy()) {
            case INSERTRANK -> insertrank.wanted(whole);
            case CASCADE -> e2rank.wanted(true);
            default -> e2rank.wanted(whole || parameters.exactWindow());
        };
    }

    /**
     * Puts {@code hits}, the window's first ones, in order.
     *
     * <p>The future fails with a {@link PassThrough} where nothing can be done for this search, and
     * with a {@link SidecarException} where the sidecar failed.
     */
    public CompletableFuture<Judgement> judge(List<WindowHit> hits) {
        return switch (parameters.strategy()) {
            case INSERTRANK -> insertrank.judge(hits);
            case CASCADE -> cascade(hits);
            default -> e2rank.judge(hits, parameters.exactWindow());
        };
    }

    /** {@code hits} in the order that {@code steps} give them, as the engine's rescore would. */
    public CompletableFuture<List<WindowHit>> ordered(List<WindowHit> hits, List<Step> steps) {
        CompletableFuture<List<WindowHit>> ordered = CompletableFuture.completedFuture(hits);
        for (Step step : steps) {
            ordered =
                    switch (step) {
                        case Step.ByVector by ->
                                ordered.thenCombine(
                                        scores(hits, by),
                                        (list, scores) ->
                                                Ordering.ordered(list, by.weights(), scores));
                        case Step.ByOrder by -> ordered.thenApply(list -> Ordering.ordered(list, by));
                    };
        }
        return ordered;
    }

    /** E2Rank over the window, then the LLM over its head, shown with first-stage scores. */
    private CompletableFuture<Judgement> cascade(List<WindowHit> hits) {
        return e2rank.judge(hits, true)
                .thenCompose(
                        first ->
                                head(first, hits).exceptionally(error -> headless(first, error)));
    }

    private CompletableFuture<Judgement> head(Judgement first, List<WindowHit> hits) {
        Step.ByVector step = (Step.ByVector) first.steps().getFirst(); // all that E2Rank does
        return scores(hits, step)
                .thenCompose(
                        scores -> {
                            List<WindowHit> order = Ordering.ordered(hits, step.weights(), scores);
                            return insertrank.after(
                                    first, order, Ordering.fused(order, step.weights(), scores));
                        });
    }

    private CompletableFuture<Map<Place, Float>> scores(List<WindowHit> hits, Step.ByVector step) {
        return windows.scores(hits.stream().map(WindowHit::place).toList(), step.by());
    }

    private Judgement headless(Judgement first, Throwable error) {
        Throwable cause = Failures.cause(error);
        if (parameters.onFailure() == OnFailure.FAIL) {
            throw new CompletionException(cause);
        }
        return first.headless(Failures.of(cause).reason());
    }
}
