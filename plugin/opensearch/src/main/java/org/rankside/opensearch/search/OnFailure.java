package org.rankside.opensearch.search;

/** What becomes of a search whose reranking failed. */
enum OnFailure {
    /** It answers in first-stage order and says why. */
    PASS_THROUGH,
    /** It is an error. */
    FAIL
}
