package org.rankside.search;

/** What becomes of a search whose reranking failed. */
public enum OnFailure {
    /** It answers in first-stage order and says why. */
    PASS_THROUGH,
    /** It is an error. */
    FAIL
}
