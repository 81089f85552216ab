package org.rankside.client;

import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeoutException;

/** The sidecar could not help; the message is one sentence for the user. */
public final class SidecarException extends RuntimeException {
    private final Reason reason;

    /** One without a cause of its own. */
    public SidecarException(Reason reason, String message) {
        this(reason, message, null);
    }

    /** One that translates {@code cause}. */
    public SidecarException(Reason reason, String message, Throwable cause) {
        super(message, cause);
        this.reason = reason;
    }

    /** What became of a call that had {@code timeout} to be answered, for the one who waits for it. */
    static SidecarException of(Throwable error, Duration timeout) {
        return switch (error) {
            case SidecarException known -> known;
            case TimeoutException late ->
                    new SidecarException(
                            Reason.DEADLINE,
                            "the sidecar did not answer within " + timeout.toMillis() + " ms",
                            late);
            case CancellationException cancelled ->
                    new SidecarException(Reason.CANCELLED, "the search was cancelled", cancelled);
            case CompletionException wrapped when wrapped.getCause() != null ->
                    of(wrapped.getCause(), timeout);
            default ->
                    new SidecarException(
                            Reason.SIDECAR_UNAVAILABLE, "the sidecar could not be asked", error);
        };
    }

    /** Why, in a word. */
    public Reason reason() {
        return reason;
    }
}
