package org.rankside.search;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.BinaryOperator;

/**
 * Searches beside the user's own: the first stage's top hits, and more of hits that are known.
 *
 * <p>They run with the user's rights, and end when the user's search is cancelled or the time is over.
 *
 * @param <S> what the engine calls a search
 */
public abstract class Windows<S> {
    /** One for the first stage's first hits. */
    protected abstract S firstStage(int size);

    /** One for these hits. */
    protected abstract S those(List<Place> places);

    /** One for the scores that {@code by} gives to these hits. */
    protected abstract S scored(List<Place> places, Comparison by);

    /** {@code search}, to bring texts and what says which model the vectors are of. */
    protected abstract S withTexts(S search);

    /** {@code search}, to bring what says which model the vectors are of, and no text. */
    protected abstract S withHash(S search);

    /** {@code search}, to bring vectors and no text. */
    protected abstract S withVectors(S search);

    /** What {@code search} finds, best first; a failure is a {@link PassThrough}. */
    protected abstract CompletableFuture<List<WindowHit>> run(S search);

    /**
     * The first stage's first hits, best first.
     *
     * <p>Texts, places and vectors are wanted of different numbers of hits, so they are up to three
     * searches side by side: no more text or vectors travel than will be used.
     */
    public final CompletableFuture<List<WindowHit>> window(Wanted wanted) {
        List<CompletableFuture<List<WindowHit>>> asked = new ArrayList<>();
        if (wanted.texts() > 0) {
            asked.add(run(withTexts(firstStage(wanted.texts()))));
        }
        if (wanted.hits() > wanted.texts()) {
            asked.add(run(withHash(firstStage(wanted.hits()))));
        }
        if (wanted.vectors() > 0) {
            asked.add(run(withVectors(firstStage(wanted.vectors()))));
        }
        return all(asked).thenApply(Windows::merged);
    }

    /** {@code hits} with the text and fingerprint of those that have no text, by one search. */
    public final CompletableFuture<List<WindowHit>> withTexts(List<WindowHit> hits) {
        List<Place> places =
                hits.stream().filter(one -> one.text() == null).map(WindowHit::place).toList();
        if (places.isEmpty()) {
            return CompletableFuture.completedFuture(hits);
        }
        return run(withTexts(those(places)))
                .thenApply(found -> joined(hits, found, WindowHit::withTextOf));
    }

    /** {@code hits} with their stored vector where it is sound, and its fingerprint, by one search. */
    public final CompletableFuture<List<WindowHit>> withVectors(List<WindowHit> hits) {
        if (hits.isEmpty()) {
            return CompletableFuture.completedFuture(hits);
        }
        List<Place> places = hits.stream().map(WindowHit::place).toList();
        return run(withHash(withVectors(those(places))))
                .thenApply(found -> joined(hits, found, WindowHit::withVectorOf));
    }

    /** What {@code by} scores those of {@code places} that have a vector to compare. */
    public final CompletableFuture<Map<Place, Float>> scores(List<Place> places, Comparison by) {
        return run(scored(places, by))
                .thenApply(
                        found -> {
                            Map<Place, Float> scores = new HashMap<>();
                            found.forEach(hit -> scores.put(hit.place(), hit.score()));
                            return scores;
                        });
    }

    /** The longest of {@code several} lists of the same hits, with what all of them know. */
    private static List<WindowHit> merged(List<List<WindowHit>> several) {
        List<WindowHit> longest = List.of();
        Map<Place, WindowHit> known = new HashMap<>();
        for (List<WindowHit> hits : several) {
            longest = hits.size() > longest.size() ? hits : longest;
            byPlace(hits).forEach((place, hit) -> known.merge(place, hit, WindowHit::and));
        }
        return byPlace(longest).keySet().stream().map(known::get).toList();
    }

    /** {@code hits}, each {@code with} what {@code found} has of it where it has. */
    private static List<WindowHit> joined(
            List<WindowHit> hits, List<WindowHit> found, BinaryOperator<WindowHit> with) {
        Map<Place, WindowHit> known = byPlace(found);
        return hits.stream()
                .map(
                        one ->
                                known.containsKey(one.place())
                                        ? with.apply(one, known.get(one.place()))
                                        : one)
                .toList();
    }

    private static Map<Place, WindowHit> byPlace(List<WindowHit> hits) {
        Map<Place, WindowHit> found = new LinkedHashMap<>();
        hits.forEach(hit -> found.putIfAbsent(hit.place(), hit));
        return found;
    }

    private static <T> CompletableFuture<List<T>> all(List<CompletableFuture<T>> several) {
        return CompletableFuture.allOf(several.toArray(CompletableFuture[]::new))
                .thenApply(done -> several.stream().map(CompletableFuture::join).toList());
    }
}
