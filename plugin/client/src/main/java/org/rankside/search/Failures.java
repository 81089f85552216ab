package org.rankside.search;

import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import org.rankside.client.Reason;
import org.rankside.client.SidecarException;

/** One map from whatever went wrong to the reason that users see. */
public final class Failures {
    private Failures() {}

    /** What went wrong, without the futures' wrapping. */
    public static Throwable cause(Throwable error) {
        Throwable cause = error;
        while (cause instanceof CompletionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause;
    }

    /** Whether nobody waits for an answer of the search any more. */
    public static boolean cancelled(PassThrough passed) {
        return passed.reason().equals(Reason.CANCELLED.word());
    }

    /** Why the search is passed through. */
    public static PassThrough of(Throwable error) {
        Throwable cause = cause(error);
        return switch (cause) {
            case PassThrough known -> known;
            case SidecarException sidecar ->
                    new PassThrough(sidecar.reason().word(), sidecar.getMessage(), sidecar);
            case CancellationException cancelled -> cancelled();
            default -> byEngine(cause);
        };
    }

    /** Nobody waits for an answer. */
    public static PassThrough cancelled() {
        return new PassThrough(Reason.CANCELLED.word(), "the search was cancelled");
    }

    /** There was no time left. */
    public static PassThrough late() {
        return new PassThrough(
                "deadline",
                "there was no time left to rerank; raise rankside's timeout or lower its window");
    }

    private static PassThrough byEngine(Throwable error) {
        return new PassThrough(
                "engine_rejected",
                "a search beside the user's own failed: " + error.getMessage(),
                error);
    }
}
