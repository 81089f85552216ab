package org.rankside.opensearch.search;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.BinaryOperator;
import org.opensearch.action.search.SearchRequest;
import org.opensearch.index.query.QueryBuilder;
import org.opensearch.search.SearchHit;
import org.opensearch.search.builder.SearchSourceBuilder;
import org.opensearch.search.fetch.subphase.FetchSourceContext;
import org.opensearch.search.rescore.RescorerBuilder;

/**
 * Searches beside the user's own: the first stage's top hits, and more of hits that are known.
 *
 * <p>They run with the user's rights, through no pipeline, and end when the user's search is
 * cancelled or the time is over.
 */
final class WindowSearch {
    private final Searches searches;
    private final SearchRequest request;
    private final Target target;
    private final Deadline deadline;

    WindowSearch(Searches searches, SearchRequest request, Target target, Deadline deadline) {
        this.searches = searches;
        this.request = request;
        this.target = target;
        this.deadline = deadline;
    }

    /**
     * The first stage's first hits, best first.
     *
     * <p>Texts, places and vectors are wanted of different numbers of hits, so they are up to three
     * searches side by side: no more text or vectors travel than will be used.
     */
    CompletableFuture<List<WindowHit>> window(Wanted wanted) {
        List<CompletableFuture<SearchHit[]>> asked = new ArrayList<>();
        if (wanted.texts() > 0) {
            asked.add(run(withTexts(firstStage(wanted.texts()))));
        }
        if (wanted.hits() > wanted.texts()) {
            asked.add(run(withHash(firstStage(wanted.hits()).fetchSource(false))));
        }
        if (wanted.vectors() > 0) {
            asked.add(run(withVectors(firstStage(wanted.vectors()))));
        }
        return all(asked)
                .thenApply(
                        answers -> {
                            SearchHit[] longest = new SearchHit[0];
                            for (SearchHit[] hits : answers) {
                                longest = hits.length > longest.length ? hits : longest;
                            }
                            return hits(longest, answers);
                        });
    }

    /** {@code hits} with the text and fingerprint of those that have no text, by one search. */
    CompletableFuture<List<WindowHit>> withTexts(List<WindowHit> hits) {
        List<Place> places =
                hits.stream().filter(one -> one.text() == null).map(WindowHit::place).toList();
        if (places.isEmpty()) {
            return CompletableFuture.completedFuture(hits);
        }
        return run(withTexts(those(places)))
                .thenApply(raw -> joined(hits, raw, WindowHit::withTextOf));
    }

    /** {@code hits} with their stored vector where it is sound, and its fingerprint, by one search. */
    CompletableFuture<List<WindowHit>> withVectors(List<WindowHit> hits) {
        if (hits.isEmpty()) {
            return CompletableFuture.completedFuture(hits);
        }
        List<Place> places = hits.stream().map(WindowHit::place).toList();
        return run(withHash(withVectors(those(places))))
                .thenApply(raw -> joined(hits, raw, WindowHit::withVectorOf));
    }

    /** What {@code query} scores those of {@code places} that it matches. */
    CompletableFuture<Map<Place, Float>> scores(List<Place> places, QueryBuilder query) {
        SearchSourceBuilder source =
                new SearchSourceBuilder()
                        .query(Places.only(places, query))
                        .size(places.size())
                        .fetchSource(false);
        return run(source)
                .thenApply(
                        raw -> {
                            Map<Place, Float> scores = new HashMap<>();
                            for (SearchHit hit : raw) {
                                scores.put(Place.of(hit), hit.getScore());
                            }
                            return scores;
                        });
    }

    /** What of the user's request decides which hits the first stage finds, and in which order. */
    private SearchSourceBuilder firstStage(int size) {
        SearchSourceBuilder own = request.source();
        SearchSourceBuilder source = new SearchSourceBuilder().size(size);
        if (own.query() != null) {
            source.query(own.query());
        }
        if (own.postFilter() != null) {
            source.postFilter(own.postFilter());
        }
        if (own.minScore() != null) {
            source.minScore(own.minScore());
        }
        if (own.slice() != null) {
            source.slice(own.slice());
        }
        if (own.terminateAfter() > 0) {
            source.terminateAfter(own.terminateAfter());
        }
        own.indexBoosts().forEach(one -> source.indexBoost(one.getIndex(), one.getBoost()));
        if (own.rescores() != null) {
            for (RescorerBuilder<?> one : own.rescores()) {
                source.addRescorer(one);
            }
        }
        return source;
    }

    private SearchSourceBuilder those(List<Place> places) {
        return new SearchSourceBuilder().query(Places.among(places)).size(places.size());
    }

    private SearchSourceBuilder withTexts(SearchSourceBuilder source) {
        String[] fields = target.textFields().toArray(String[]::new);
        return withHash(source.fetchSource(new FetchSourceContext(true, fields, null)));
    }

    private SearchSourceBuilder withHash(SearchSourceBuilder source) {
        return target.hashField() == null ? source : source.docValueField(target.hashField());
    }

    /** Vectors come by {@code fields} only where {@code _source} is not filtered by fields. */
    private SearchSourceBuilder withVectors(SearchSourceBuilder source) {
        return source.fetchSource(false).fetchField(target.vectorField());
    }

    private CompletableFuture<SearchHit[]> run(SearchSourceBuilder source) {
        source.trackTotalHits(false);
        if (request.pointInTimeBuilder() != null) {
            source.pointInTimeBuilder(request.pointInTimeBuilder());
        }
        return searches.run(request, source, deadline);
    }

    private List<WindowHit> hits(SearchHit[] ordered, List<SearchHit[]> fetched) {
        Map<Place, WindowHit> known = new HashMap<>();
        for (SearchHit[] hits : fetched) {
            byPlace(hits).forEach((place, hit) -> known.merge(place, hit, WindowHit::and));
        }
        return byPlace(ordered).keySet().stream().map(known::get).toList();
    }

    /** {@code hits}, each {@code with} what {@code raw} has of it where it has. */
    private List<WindowHit> joined(
            List<WindowHit> hits, SearchHit[] raw, BinaryOperator<WindowHit> with) {
        Map<Place, WindowHit> known = byPlace(raw);
        return hits.stream()
                .map(
                        one ->
                                known.containsKey(one.place())
                                        ? with.apply(one, known.get(one.place()))
                                        : one)
                .toList();
    }

    private Map<Place, WindowHit> byPlace(SearchHit[] raw) {
        Map<Place, WindowHit> found = new LinkedHashMap<>();
        for (SearchHit hit : raw) {
            found.putIfAbsent(Place.of(hit), HitReader.read(hit, target));
        }
        return found;
    }

    private static <T> CompletableFuture<List<T>> all(List<CompletableFuture<T>> several) {
        return CompletableFuture.allOf(several.toArray(CompletableFuture[]::new))
                .thenApply(done -> several.stream().map(CompletableFuture::join).toList());
    }
}
