package org.rankside.opensearch.search;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.opensearch.action.search.SearchRequest;
import org.opensearch.search.builder.SearchSourceBuilder;
import org.opensearch.search.rescore.RescorerBuilder;
import org.opensearch.tasks.Task;
import org.rankside.search.Judgement;
import org.rankside.search.Parameters;
import org.rankside.search.PassThrough;
import org.rankside.search.Timings;
import org.rankside.search.Values;

/**
 * What becomes of one search, from its request to its response.
 *
 * <p>Written by one thread at a time, each handing over to the next through the engine.
 */
final class Rerank {
    /** Under which a thread context has it. */
    static final String KEY = "rankside_rerank";

    /** What of a response is shown where the engine was asked for more than the user was. */
    record Page(int from, int size) {}

    private final Timings timings = new Timings();
    private final SearchRequest request;
    private final SearchSourceBuilder pristine;
    private final long task;
    private volatile Parameters parameters;
    private volatile Judgement judgement;
    private volatile Method method;
    private volatile PassThrough passed;
    private volatile Page page;
    private volatile List<? extends RescorerBuilder<?>> added = List.of();
    private volatile long handed;

    Rerank(SearchRequest request, Task task) {
        this.request = request;
        this.task = task == null ? 0 : task.getId();
        this.pristine = request.source() == null ? null : request.source().shallowCopy();
    }

    /** The search's task on this node, 0 for none. */
    long task() {
        return task;
    }

    Timings timings() {
        return timings;
    }

    /** A processor works on it: until then it is none of ours. */
    void begin(Parameters said) {
        parameters = said;
    }

    /** Null where no processor asked for reranking. */
    Parameters parameters() {
        return parameters;
    }

    /** The search is left as it was. */
    void pass(PassThrough why) {
        passed = why;
        judgement = null;
    }

    PassThrough passed() {
        return passed;
    }

    /** The engine was asked to rescore by these. */
    void rescored(Judgement by, List<? extends RescorerBuilder<?>> rescorers) {
        passed = null;
        judgement = by;
        method = Method.RESCORE;
        added = rescorers;
    }

    /** Whether the request has rescorers of ours. */
    boolean changed() {
        return !added.isEmpty();
    }

    /** The response is to be put in order, then cut to {@code shown}. */
    void reorderLater(Page shown) {
        page = shown;
    }

    /** Null where the response is the page. */
    Page page() {
        return page;
    }

    /** The response was put in order. */
    void reordered(Judgement by) {
        passed = null;
        judgement = by;
        method = Method.REORDER;
    }

    Judgement judgement() {
        return judgement;
    }

    /** Whether the user asked where each hit was. */
    boolean explains() {
        return pristine != null && Boolean.TRUE.equals(pristine.explain());
    }

    /** The user's own request begins. */
    void handOver() {
        handed = System.nanoTime();
    }

    /** The user's own request has ended. */
    void handedBack() {
        if (handed != 0) {
            timings.add("rescore", (System.nanoTime() - handed) / 1e6);
            handed = 0;
        }
    }

    /** The user's request as it came, not to be reranked. */
    SearchRequest plain() {
        if (pristine.rescores() != null) { // the list is one with the changed request's
            pristine.rescores().removeAll(added);
        }
        Map<String, Object> said = RanksideExt.of(pristine);
        said.put("strategy", "none");
        pristine.ext(new RanksideExt(said).among(pristine.ext()));
        return new SearchRequest(request).source(pristine).pipeline(request.pipeline());
    }

    /** Whether all, some or nothing of it was done, in the field's words. */
    String status() {
        if (judgement == null) {
            return "passed_through";
        }
        return judgement.status();
    }

    /** Why it is not all done; null where it is. */
    String reason() {
        if (judgement == null) {
            return passed == null ? null : passed.reason();
        }
        return judgement.reason();
    }

    /** {@code ext.rankside} of the response. */
    RanksideExt report() {
        Map<String, Object> report = new LinkedHashMap<>();
        report.put("status", status());
        if (reason() != null) {
            report.put("reason", reason());
        }
        if (passed != null && passed.failed()) {
            report.put("detail", passed.getMessage());
        }
        report.put("strategy", Values.word(parameters.strategy()));
        if (judgement != null) {
            report.put("method", Values.word(method));
            report.put("model", judgement.model());
            timings.add("sidecar_own", judgement.sidecarMillis());
        }
        report.put("timings_ms", timings.all());
        return new RanksideExt(report);
    }
}
