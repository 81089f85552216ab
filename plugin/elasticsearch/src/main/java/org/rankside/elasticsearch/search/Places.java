package org.rankside.elasticsearch.search;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.elasticsearch.index.query.BoolQueryBuilder;
import org.elasticsearch.index.query.ConstantScoreQueryBuilder;
import org.elasticsearch.index.query.IdsQueryBuilder;
import org.elasticsearch.index.query.QueryBuilder;
import org.elasticsearch.index.query.TermQueryBuilder;
import org.rankside.search.Place;

/** Queries for hits by where they are kept. */
final class Places {
    private Places() {}

    /** Matches exactly {@code places}. */
    static QueryBuilder among(List<Place> places) {
        Map<String, IdsQueryBuilder> byIndex = new LinkedHashMap<>();
        for (Place place : places) {
            byIndex.computeIfAbsent(place.index(), any -> new IdsQueryBuilder()).addIds(place.id());
        }
        List<BoolQueryBuilder> clauses =
                byIndex.entrySet().stream()
                        .map(
                                one ->
                                        new BoolQueryBuilder()
                                                .filter(new TermQueryBuilder("_index", one.getKey()))
                                                .filter(one.getValue()))
                        .toList();
        if (clauses.size() == 1) {
            return clauses.get(0);
        }
        BoolQueryBuilder any = new BoolQueryBuilder();
        clauses.forEach(any::should);
        return any;
    }

    /** {@code query}, of {@code places} alone. */
    static QueryBuilder only(List<Place> places, QueryBuilder query) {
        return new BoolQueryBuilder().must(query).filter(among(places));
    }

    /** Scores {@code places} n, n-1, … 1. */
    static QueryBuilder inOrder(List<Place> places) {
        BoolQueryBuilder all = new BoolQueryBuilder();
        for (int rank = 0; rank < places.size(); rank++) {
            QueryBuilder one = among(List.of(places.get(rank)));
            all.should(new ConstantScoreQueryBuilder(one).boost(places.size() - rank));
        }
        return all;
    }
}
