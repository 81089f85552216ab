package org.rankside.search;

/**
 * Why a search is left as it was.
 *
 * <p>The message is a sentence that names the remedy; null where nothing failed and it is in the
 * nature of the request.
 */
public final class PassThrough extends RuntimeException {
    private final String reason;

    /** In the nature of the request: not a failure. */
    public PassThrough(String reason) {
        this(reason, null, null);
    }

    public PassThrough(String reason, String detail) {
        this(reason, detail, null);
    }

    public PassThrough(String reason, String detail, Throwable cause) {
        super(detail, cause, false, false);
        this.reason = reason;
    }

    /** The sidecar answered that it left the hits as they were, for this reason or null. */
    static PassThrough bySidecar(String reason) {
        String word = reason == null ? "sidecar" : reason;
        return new PassThrough(
                word, "the sidecar passed the search through (" + word + "); see its log");
    }

    /** A word for metrics and eyes. */
    public String reason() {
        return reason;
    }

    /** Whether {@code on_failure: fail} makes an error of it. */
    public boolean failed() {
        return getMessage() != null;
    }
}
