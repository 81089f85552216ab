package org.rankside.ingest;

import java.util.Set;
import org.rankside.client.SidecarException;

/**
 * What the one who writes a document is told of a call that failed.
 *
 * <p>The status tells a bulk client whether to send the document again: 429 and 503 say so. It is
 * never 409, which clients take for a document that is there already, and may pass over.
 */
final class Failures {
    private static final Set<Integer> REFUSED_TEXTS = Set.of(400, 413, 422);
    private static final int OTHER_MODEL = 409;

    private static final int BAD_REQUEST = 400;
    private static final int TOO_MANY_REQUESTS = 429;
    private static final int BAD_GATEWAY = 502;
    private static final int SERVICE_UNAVAILABLE = 503;
    private static final int GATEWAY_TIMEOUT = 504;

    private Failures() {}

    /** Whether it is what was sent that was refused, so that fewer texts may be taken. */
    static boolean isOfTexts(SidecarException error) {
        return REFUSED_TEXTS.contains(error.status());
    }

    /** Whether the sidecar serves another model than that of the vectors wanted. */
    static boolean isOtherModel(SidecarException error) {
        return error.status() == OTHER_MODEL;
    }

    static NotEmbedded of(SidecarException error, String fingerprint) {
        String message =
                isOtherModel(error)
                        ? "the sidecar serves another model than the one with fingerprint " + fingerprint
                                + ", of which the index has its vectors; start it with that model, or"
                                + " re-embed the index with `rankside backfill`"
                        : error.getMessage();
        return new NotEmbedded(status(error), message, error);
    }

    /** A vector that came back as NaN, infinite or zero, or not at all. */
    static NotEmbedded noVector() {
        return new NotEmbedded(
                BAD_GATEWAY,
                "the sidecar's vector of the text is NaN, infinite or zero; check its model",
                null);
    }

    /** More waits than there is room for. */
    static NotEmbedded full(long bytes) {
        return new NotEmbedded(
                TOO_MANY_REQUESTS,
                "texts of " + bytes + " bytes wait for the sidecar on this node, which is as much as"
                        + " rankside.ingest.max_waiting allows; send the document again later",
                null);
    }

    private static int status(SidecarException error) {
        return switch (error.reason()) {
            case OVERLOADED, TOO_MANY_IN_FLIGHT -> TOO_MANY_REQUESTS;
            case SIDECAR_UNAVAILABLE, CIRCUIT_OPEN, CANCELLED -> SERVICE_UNAVAILABLE;
            case DEADLINE -> GATEWAY_TIMEOUT;
            case UNUSABLE_ANSWER -> BAD_GATEWAY;
            case SIDECAR_REJECTED -> rejected(error);
        };
    }

    private static int rejected(SidecarException error) {
        if (isOfTexts(error) || isOtherModel(error)) {
            return BAD_REQUEST;
        }
        return error.retryAfter() == null ? BAD_GATEWAY : SERVICE_UNAVAILABLE;
    }
}
