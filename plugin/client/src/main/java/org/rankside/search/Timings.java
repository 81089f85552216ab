package org.rankside.search;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** Milliseconds by stage of one search. */
public final class Timings {
    private final Map<String, Double> millis = Collections.synchronizedMap(new LinkedHashMap<>());
    private final long started = System.nanoTime();

    /** {@code stage}'s future, which began now. */
    public <T> CompletableFuture<T> of(String stage, CompletableFuture<T> future) {
        long began = System.nanoTime();
        return future.whenComplete((value, error) -> add(stage, (System.nanoTime() - began) / 1e6));
    }

    /** So many milliseconds more of {@code stage}. */
    public void add(String stage, double spent) {
        millis.merge(stage, spent, Double::sum);
    }

    /** When the search began, in {@link System#nanoTime} nanoseconds. */
    public long started() {
        return started;
    }

    /** Whole milliseconds since the search began. */
    public long millis() {
        return (System.nanoTime() - started) / 1_000_000;
    }

    /** All of them so far, to the microsecond, and their total. */
    public Map<String, Object> all() {
        Map<String, Object> rounded = new LinkedHashMap<>();
        synchronized (millis) {
            millis.forEach((stage, spent) -> rounded.put(stage, rounded(spent)));
        }
        rounded.put("total", rounded((System.nanoTime() - started) / 1e6));
        return rounded;
    }

    private static double rounded(double millis) {
        return Math.round(millis * 1000) / 1000.0;
    }
}
