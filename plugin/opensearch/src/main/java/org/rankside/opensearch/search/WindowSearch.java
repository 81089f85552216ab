package org.rankside.opensearch.search;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.opensearch.action.search.SearchRequest;
import org.opensearch.search.builder.SearchSourceBuilder;
import org.opensearch.search.fetch.subphase.FetchSourceContext;
import org.opensearch.search.rescore.RescorerBuilder;
import org.rankside.opensearch.vector.VectorQueryBuilder;
import org.rankside.search.Comparison;
import org.rankside.search.Deadline;
import org.rankside.search.Place;
import org.rankside.search.Target;
import org.rankside.search.WindowHit;
import org.rankside.search.Windows;

/** Searches like the user's own, through no pipeline. */
final class WindowSearch extends Windows<SearchSourceBuilder> {
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

    /** What of the user's request decides which hits the first stage finds, and in which order. */
    @Override
    protected SearchSourceBuilder firstStage(int size) {
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

    @Override
    protected SearchSourceBuilder those(List<Place> places) {
        return new SearchSourceBuilder().query(Places.among(places)).size(places.size());
    }

    @Override
    protected SearchSourceBuilder scored(List<Place> places, Comparison by) {
        return new SearchSourceBuilder()
                .query(Places.only(places, new VectorQueryBuilder(by)))
                .size(places.size())
                .fetchSource(false);
    }

    @Override
    protected SearchSourceBuilder withTexts(SearchSourceBuilder source) {
        String[] fields = target.textFields().toArray(String[]::new);
        return hashed(source.fetchSource(new FetchSourceContext(true, fields, null)));
    }

    @Override
    protected SearchSourceBuilder withHash(SearchSourceBuilder source) {
        return hashed(source.fetchSource(false));
    }

    /** Vectors come by {@code fields} only where {@code _source} is not filtered by fields. */
    @Override
    protected SearchSourceBuilder withVectors(SearchSourceBuilder source) {
        return source.fetchSource(false).fetchField(target.vectorField());
    }

    private SearchSourceBuilder hashed(SearchSourceBuilder source) {
        return target.hashField() == null ? source : source.docValueField(target.hashField());
    }

    @Override
    protected CompletableFuture<List<WindowHit>> run(SearchSourceBuilder source) {
        source.trackTotalHits(false);
        if (request.pointInTimeBuilder() != null) {
            source.pointInTimeBuilder(request.pointInTimeBuilder());
        }
        return searches.run(request, source, deadline)
                .thenApply(
                        hits ->
                                Arrays.stream(hits)
                                        .map(hit -> HitReader.read(hit, target))
                                        .toList());
    }
}
