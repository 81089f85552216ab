package org.rankside.client;

import java.time.Duration;

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

    /** No answer came within {@code timeout}. */
    static SidecarException late(Duration timeout, Throwable cause) {
        return new SidecarException(
                Reason.DEADLINE, "the sidecar did not answer within " + timeout.toMillis() + " ms", cause);
    }

    /** Why, in a word. */
    public Reason reason() {
        return reason;
    }
}
