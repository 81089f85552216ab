package org.rankside.ingest;

/**
 * How an engine's mappings speak of a field for vectors.
 *
 * @param name its {@code type}
 * @param dimensions the parameter that has the vectors' length
 */
public record VectorType(String name, String dimensions) {}
