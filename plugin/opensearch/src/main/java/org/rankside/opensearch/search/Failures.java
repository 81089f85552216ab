package org.rankside.opensearch.search;

import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import org.opensearch.ExceptionsHelper;
import org.opensearch.core.rest.RestStatus;
import org.opensearch.core.tasks.TaskCancelledException;
import org.rankside.client.Reason;
import org.rankside.client.SidecarException;

/** One map from whatever went wrong to the reason that users see. */
final class Failures {
    private Failures() {}

    /** What went wrong, without the futures' wrapping. */
    static Throwable cause(Throwable error) {
        Throwable cause = error;
        while (cause instanceof CompletionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause;
    }

    /** Whether the search would have failed without us too: it was cancelled, or the node is full. */
    static boolean noneOfOurs(Throwable error) {
        return ExceptionsHelper.unwrap(error, TaskCancelledException.class) != null
                || ExceptionsHelper.status(error) == RestStatus.TOO_MANY_REQUESTS;
    }

    /** Whether nobody waits for an answer of the search any more. */
    static boolean cancelled(PassThrough passed) {
        return passed.reason().equals(Reason.CANCELLED.word());
    }

    /** Why the search is passed through. */
    static PassThrough of(Throwable error) {
        Throwable cause = cause(error);
        return switch (cause) {
            case PassThrough known -> known;
            case SidecarException sidecar ->
                    new PassThrough(sidecar.reason().word(), sidecar.getMessage(), sidecar);
            case CancellationException cancelled -> cancelled();
            default -> ofEngine(cause);
        };
    }

    static PassThrough cancelled() {
        return new PassThrough(Reason.CANCELLED.word(), "the search was cancelled");
    }

    private static PassThrough ofEngine(Throwable error) {
        if (ExceptionsHelper.unwrap(error, TaskCancelledException.class) != null) {
            return Searches.late();
        }
        return new PassThrough(
                "engine_rejected",
                "a search beside the user's own failed: " + error.getMessage(),
                error);
    }
}
