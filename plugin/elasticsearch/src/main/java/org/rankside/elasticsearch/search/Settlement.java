package org.rankside.elasticsearch.search;

import java.util.function.Consumer;
import org.elasticsearch.ElasticsearchStatusException;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.elasticsearch.rest.RestStatus;
import org.elasticsearch.tasks.TaskCancelledException;
import org.rankside.client.Stats;
import org.rankside.search.Failures;
import org.rankside.search.OnFailure;
import org.rankside.search.Parameters;
import org.rankside.search.PassLog;
import org.rankside.search.PassThrough;
import org.rankside.search.Timings;

/** Tells the user, the statistics, the log and last the core what became of a search. */
final class Settlement {
    private final Stats stats;
    private final PassLog log;
    private final ThreadContext context;

    /** One for a node. */
    Settlement(Stats stats, PassLog log, ThreadContext context) {
        this.stats = stats;
        this.log = log;
        this.context = context;
    }

    /** Ends the wait of {@code listener}, whatever happens. */
    void settle(
            Outcome outcome,
            Parameters parameters,
            Timings timings,
            Consumer<Outcome> judged,
            ActionListener<?> listener) {
        Exception refusal;
        try {
            refusal = refusal(outcome.passed(), parameters.onFailure());
            if (refusal == null) {
                tell(outcome, parameters, timings);
                judged.accept(outcome);
            }
        } catch (RuntimeException error) { // in a future that nobody looks at: the search would hang
            refusal = error;
        }
        if (refusal == null) {
            listener.onResponse(null);
        } else {
            listener.onFailure(refusal);
        }
    }

    /** Null where the search goes on. */
    private Exception refusal(PassThrough passed, OnFailure onFailure) {
        if (passed == null) {
            return null;
        }
        if (Failures.cancelled(passed)) {
            return new TaskCancelledException(passed.getMessage());
        }
        if (!passed.failed() || onFailure != OnFailure.FAIL) {
            return null;
        }
        stats.searched("failed", passed.reason());
        return new ElasticsearchStatusException(
                "rankside could not rerank (" + passed.reason() + "): " + passed.getMessage(),
                RestStatus.SERVICE_UNAVAILABLE,
                passed);
    }

    private void tell(Outcome outcome, Parameters parameters, Timings timings) {
        stats.searched(outcome.status(), outcome.reason());
        log.passed(outcome.passed());
        StatusHeaders.of(outcome, parameters, timings).forEach(context::addResponseHeader);
    }
}
