package org.rankside.client;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BinaryOperator;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a node asked of sidecars and what became of its searches, counted since it started.
 *
 * <p>Without a lock: each number is right by itself, and those of one snapshot may be a call apart.
 * Safe for concurrent use.
 */
public final class Stats {
    /** What became of a call that brought an answer; of others it is the {@link Reason}'s word. */
    public static final String ANSWERED = "answered";

    // Of the others a reason says how well they went, with numbers in it.
    private static final Set<String> EXPLAINED = Set.of("passed_through", "failed");
    // A sidecar's reasons are not ours: they may have numbers in them, and no end.
    private static final int REASONS = 32;
    private static final String OTHER = "other";

    private final Map<String, Map<String, LongAdder>> calls = new ConcurrentHashMap<>();
    private final Map<String, LongAdder> searches = new ConcurrentHashMap<>();
    private final Map<String, Map<String, LongAdder>> reasons = new ConcurrentHashMap<>();
    private final Map<String, Timer> timers = new ConcurrentHashMap<>();

    /**
     * The counts of one moment.
     *
     * @param calls by operation ({@code listwise}) and what became of them
     * @param searches by status
     * @param reasons of the searches passed through and failed, by status and word
     * @param latency of the calls that were answered, by operation
     */
    public record Snapshot(
            Map<String, Map<String, Long>> calls,
            Map<String, Long> searches,
            Map<String, Map<String, Long>> reasons,
            Map<String, Latency> latency) {
        /** Of a node that did nothing. */
        public static final Snapshot EMPTY = new Snapshot(Map.of(), Map.of(), Map.of(), Map.of());

        /** These and another node's. */
        public Snapshot plus(Snapshot other) {
            return new Snapshot(
                    both(calls, other.calls, Snapshot::sums),
                    both(searches, other.searches, Long::sum),
                    both(reasons, other.reasons, Snapshot::sums),
                    both(latency, other.latency, Latency::plus));
        }

        private static Map<String, Long> sums(Map<String, Long> one, Map<String, Long> two) {
            return both(one, two, Long::sum);
        }

        private static <V> Map<String, V> both(
                Map<String, V> one, Map<String, V> two, BinaryOperator<V> sum) {
            Map<String, V> both = new HashMap<>(one);
            two.forEach((name, value) -> both.merge(name, value, sum));
            return Map.copyOf(both);
        }
    }

    /** Counts calls by how long they took. */
    private static final class Timer {
        private final LongAdder[] buckets =
                Stream.generate(LongAdder::new)
                        .limit(Latency.BOUNDS.size() + 1)
                        .toArray(LongAdder[]::new);
        private final LongAdder nanos = new LongAdder();

        void add(long took) {
            int bucket = 0;
            while (bucket < Latency.BOUNDS.size()
                    && took > TimeUnit.MILLISECONDS.toNanos(Latency.BOUNDS.get(bucket))) {
                bucket++;
            }
            buckets[bucket].increment();
            nanos.add(took);
        }

        Latency snapshot() {
            return new Latency(Arrays.stream(buckets).map(LongAdder::sum).toList(), nanos.sum());
        }
    }

    /** A search has ended with this status, and this reason or null. */
    public void searched(String status, String reason) {
        count(searches, status);
        if (reason != null && EXPLAINED.contains(status)) {
            Map<String, LongAdder> words = of(reasons, status, ConcurrentHashMap::new);
            boolean known = words.size() < REASONS || words.containsKey(reason);
            count(words, known ? reason : OTHER);
        }
    }

    /** The counts as they are now. */
    public Snapshot snapshot() {
        return new Snapshot(
                copy(calls, outcomes -> copy(outcomes, LongAdder::sum)),
                copy(searches, LongAdder::sum),
                copy(reasons, words -> copy(words, LongAdder::sum)),
                copy(timers, Timer::snapshot));
    }

    /** A call of {@code path} has been answered, {@code nanos} after it was made. */
    void answered(String path, long nanos) {
        count(outcomes(path), ANSWERED);
        of(timers, operation(path), Timer::new).add(nanos);
    }

    /** A call of {@code path} has failed, or was never sent. */
    void failed(String path, Reason reason) {
        count(outcomes(path), reason.word());
    }

    private Map<String, LongAdder> outcomes(String path) {
        return of(calls, operation(path), ConcurrentHashMap::new);
    }

    private static String operation(String path) {
        return path.substring(path.lastIndexOf('/') + 1);
    }

    private static void count(Map<String, LongAdder> counts, String name) {
        of(counts, name, LongAdder::new).increment();
    }

    private static <V> V of(Map<String, V> all, String name, Supplier<V> first) {
        V known = all.get(name); // which takes no lock, as computeIfAbsent may
        return known != null ? known : all.computeIfAbsent(name, any -> first.get());
    }

    private static <A, B> Map<String, B> copy(Map<String, A> counts, Function<A, B> value) {
        return counts.entrySet().stream()
                .collect(
                        Collectors.toUnmodifiableMap(
                                Map.Entry::getKey, entry -> value.apply(entry.getValue())));
    }
}
