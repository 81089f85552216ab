package org.rankside.search;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * A few documents that every user's query finds, of which a search is given what it asks for and
 * nothing more.
 */
final class Shelf extends Windows<Shelf.Search> {
    /** How a query by vector scores those documents that it finds. */
    final Map<Place, Float> byVector = new HashMap<>();
    /** What was asked for, one after the other. */
    final List<Search> asked = new ArrayList<>();
    /** What becomes of it. */
    Function<Search, CompletableFuture<List<WindowHit>>> answer =
            search -> CompletableFuture.completedFuture(found(search));
    /** Whether the index has hashes at all. */
    boolean hashed = true;
    private final List<Document> documents = new ArrayList<>();

    /**
     * One search.
     *
     * @param places null: whatever the first stage finds
     * @param by null: scored by the first stage
     */
    record Search(
            int size, List<Place> places, Comparison by, boolean text, boolean hash, boolean vector) {}

    /** One document; what is null it has not. */
    record Document(Place place, float score, String text, float[] vector, String hash) {
        Document text(String other) {
            return new Document(place, score, other, vector, hash);
        }

        Document vector(float[] other) {
            return new Document(place, score, text, other, hash);
        }

        Document hash(String other) {
            return new Document(place, score, text, vector, other);
        }
    }

    /** So many documents 1, 2, … of the index {@code i}, all embedded, the first one scored highest. */
    Shelf(int count) {
        for (int at = 1; at <= count; at++) {
            documents.add(
                    new Document(
                            place(at), count + 1f - at, "text " + at, new float[] {1, at}, "f:hash"));
        }
    }

    static Place place(int number) {
        return new Place("i", "" + number);
    }

    /** A hit of which nothing is known but its score. */
    static WindowHit windowHit(String id, float score) {
        return new WindowHit(new Place("i", id), score, null, null, null);
    }

    static List<String> ids(List<WindowHit> hits) {
        return hits.stream().map(one -> one.place().id()).toList();
    }

    /** Makes another one of the {@code number}th document. */
    void change(int number, UnaryOperator<Document> change) {
        documents.set(number - 1, change.apply(documents.get(number - 1)));
    }

    List<WindowHit> found(Search search) {
        return documents.stream()
                .filter(one -> search.places == null || search.places.contains(one.place))
                .filter(one -> search.by == null || byVector.containsKey(one.place))
                .map(one -> hit(one, search))
                .sorted(Comparator.comparing(WindowHit::score).reversed())
                .limit(search.size)
                .toList();
    }

    private WindowHit hit(Document one, Search search) {
        return new WindowHit(
                one.place,
                search.by == null ? one.score : byVector.get(one.place),
                search.text ? one.text : null,
                search.vector ? one.vector : null,
                hashed ? HitValues.fingerprint(search.hash ? one.hash : null) : null);
    }

    @Override
    protected Search firstStage(int size) {
        return new Search(size, null, null, false, false, false);
    }

    @Override
    protected Search those(List<Place> places) {
        return new Search(places.size(), places, null, false, false, false);
    }

    @Override
    protected Search scored(List<Place> places, Comparison by) {
        return new Search(places.size(), places, by, false, false, false);
    }

    @Override
    protected Search withTexts(Search search) {
        return new Search(search.size, search.places, search.by, true, true, false);
    }

    @Override
    protected Search withHash(Search search) {
        return new Search(search.size, search.places, search.by, false, true, search.vector);
    }

    @Override
    protected Search withVectors(Search search) {
        return new Search(search.size, search.places, search.by, false, search.hash, true);
    }

    @Override
    protected CompletableFuture<List<WindowHit>> run(Search search) {
        asked.add(search);
        return answer.apply(search);
    }
}
