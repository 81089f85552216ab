package org.rankside.search;

/** How hits are put in order. */
public enum Strategy {
    /** By a listwise vector, in one forward pass. */
    E2RANK,
    /** By an LLM that sees first-stage scores. */
    INSERTRANK,
    /** E2Rank over the window, InsertRank over its head. */
    CASCADE,
    /** Not at all. */
    NONE
}
