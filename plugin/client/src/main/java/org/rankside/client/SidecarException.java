package org.rankside.client;

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

    /** Why, in a word. */
    public Reason reason() {
        return reason;
    }
}
