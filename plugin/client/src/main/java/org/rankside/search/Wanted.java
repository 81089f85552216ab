package org.rankside.search;

/** How many of the first hits are wanted: with their text, at all, and with their vector. */
public record Wanted(int texts, int hits, int vectors) {}
