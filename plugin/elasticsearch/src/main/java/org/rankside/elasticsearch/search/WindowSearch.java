package org.rankside.elasticsearch.search;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.elasticsearch.search.SearchHit;
import org.elasticsearch.search.builder.SearchSourceBuilder;
import org.elasticsearch.search.fetch.subphase.FetchSourceContext;
import org.elasticsearch.search.rank.RankDoc;
import org.elasticsearch.search.sort.FieldSortBuilder;
import org.elasticsearch.search.sort.ScoreSortBuilder;
import org.elasticsearch.search.sort.ShardDocSortField;
import org.elasticsearch.search.sort.SortBuilder;
import org.rankside.elasticsearch.vector.VectorQueryBuilder;
import org.rankside.search.Comparison;
import org.rankside.search.Place;
import org.rankside.search.Target;
import org.rankside.search.WindowHit;
import org.rankside.search.Windows;

/** Searches of what a retriever finds, at the search's point in time. */
final class WindowSearch extends Windows<SearchSourceBuilder> {
    private final Searches searches;
    private final Consumer<SearchSourceBuilder> retriever;
    private final Target target;
    private final Map<Place, RankDoc> spots = new ConcurrentHashMap<>();

    /**
     * For one search.
     *
     * @param retriever writes what it retrieves into a search
     */
    WindowSearch(Searches searches, Consumer<SearchSourceBuilder> retriever, Target target) {
        this.searches = searches;
        this.retriever = retriever;
        this.target = target;
    }

    /** Where hits of the first stage are in the point in time, scored as they are there. */
    RankDoc[] spots(List<WindowHit> hits) {
        return hits.stream().map(hit -> spots.get(hit.place())).toArray(RankDoc[]::new);
    }

    @Override
    protected SearchSourceBuilder firstStage(int size) {
        SearchSourceBuilder source = new SearchSourceBuilder().size(size);
        retriever.accept(source);
        List<SortBuilder<?>> sorts = new ArrayList<>();
        sorts.addAll(source.sorts() == null ? List.of(new ScoreSortBuilder()) : source.sorts());
        sorts.add(new FieldSortBuilder(FieldSortBuilder.SHARD_DOC_FIELD_NAME));
        return source.sort(sorts).trackScores(true).skipInnerHits(true);
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
        return hashed(source.fetchSource(FetchSourceContext.of(true, fields, null)));
    }

    @Override
    protected SearchSourceBuilder withHash(SearchSourceBuilder source) {
        return hashed(source.fetchSource(false));
    }

    /** Doc values, which is cheaper than the source that vectors are left out of. */
    @Override
    protected SearchSourceBuilder withVectors(SearchSourceBuilder source) {
        return source.fetchSource(false).docValueField(target.vectorField());
    }

    @Override
    protected CompletableFuture<List<WindowHit>> run(SearchSourceBuilder source) {
        return searches.run(source.trackTotalHits(false), this::read);
    }

    private List<WindowHit> read(SearchHit[] hits) {
        return Arrays.stream(hits).map(this::read).toList();
    }

    private WindowHit read(SearchHit hit) {
        WindowHit read = HitReader.read(hit, target);
        Object[] sort = hit.getRawSortValues();
        if (sort.length > 0) {
            long spot = (long) sort[sort.length - 1];
            spots.putIfAbsent(
                    read.place(),
                    new RankDoc(
                            ShardDocSortField.decodeDoc(spot),
                            hit.getScore(),
                            ShardDocSortField.decodeShardRequestIndex(spot)));
        }
        return read;
    }

    private SearchSourceBuilder hashed(SearchSourceBuilder source) {
        return target.hashField() == null ? source : source.docValueField(target.hashField());
    }
}
