package org.rankside.client;

import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeoutException;

/** The sidecar could not help; the message is one sentence for the user. */
public final class SidecarException extends RuntimeException {
    private final Reason reason;
    private final int status;
    private final Duration retryAfter;

    /** One without a cause of its own. */
    public SidecarException(Reason reason, String message) {
        this(reason, message, null);
    }

    /** One that translates {@code cause}. */
    public SidecarException(Reason reason, String message, Throwable cause) {
        this(reason, message, cause, 0, null);
    }

    /** An error answer with its HTTP status. */
    SidecarException(Reason reason, String message, int status) {
        this(reason, message, null, status, null);
    }

    private SidecarException(
            Reason reason, String message, Throwable cause, int status, Duration retryAfter) {
        super(message, cause);
        this.reason = reason;
        this.status = status;
        this.retryAfter = retryAfter;
    }

    /** What became of a call that had {@code timeout} to be answered, for the one who waits for it. */
    static SidecarException of(Throwable error, Duration timeout) {
        return switch (error) {
            case SidecarException known -> known;
            case TimeoutException late ->
                    new SidecarException(
                            Reason.DEADLINE,
                            "the sidecar did not answer within " + timeout.toMillis()
                                    + " ms; see whether it is overloaded, or raise the timeout",
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

    /** This one, of a call that may be made again after {@code retryAfter}; null: it may not. */
    SidecarException orAgainAfter(Duration retryAfter) {
        return retryAfter == null
                ? this
                : new SidecarException(reason, getMessage(), getCause(), status, retryAfter);
    }

    /** Why, in a word. */
    public Reason reason() {
        return reason;
    }

    /** The HTTP status of an error answer; 0 where none came. */
    public int status() {
        return status;
    }

    /**
     * How long to wait before the call is made again, zero where the sidecar does not say; null
     * unless one of the addresses was only too busy for now (429) or not ready (503).
     */
    public Duration retryAfter() {
        return retryAfter;
    }
}
