package org.rankside.client;

import java.util.Locale;

/**
 * Why a search was passed through, as users and metrics see it.
 *
 * <p>The words are those of the Python client ({@code connectors/judgement.py}), so that one
 * dashboard reads both.
 */
public enum Reason {
    /** No address answered: refused, reset, or a name that does not resolve. */
    SIDECAR_UNAVAILABLE,
    /** The time for the search was over before an answer came. */
    DEADLINE,
    /** Every address answered 429. */
    OVERLOADED,
    /** An error answer other than 429. */
    SIDECAR_REJECTED,
    /** An answer that makes no sense: not JSON, NaN, another number of results. */
    UNUSABLE_ANSWER,
    /** Every address failed so often of late that none is asked for a while. */
    CIRCUIT_OPEN,
    /** This node has as many calls under way as it is allowed. */
    TOO_MANY_IN_FLIGHT,
    /** The search was cancelled. */
    CANCELLED;

    /** The word: {@code sidecar_unavailable}. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }
}
