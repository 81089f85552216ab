package org.rankside.opensearch.search;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.opensearch.action.search.SearchResponse;
import org.opensearch.action.search.SearchResponseSections;
import org.opensearch.common.document.DocumentField;
import org.opensearch.search.SearchHit;
import org.opensearch.search.SearchHits;
import org.opensearch.search.aggregations.InternalAggregations;
import org.opensearch.search.internal.InternalSearchResponse;
import org.opensearch.search.profile.SearchProfileShardResults;
import org.rankside.search.Place;
import org.rankside.search.WindowHit;

/** Responses of the engine, with what is said of the reranking and nothing else changed. */
final class Responses {
    private static final String FIELD = "rankside";

    private Responses() {}

    /** {@code response} with {@code ext.rankside}, and where hits were before if that is asked for. */
    static SearchResponse with(SearchResponse response, Rerank rerank) {
        if (rerank.judgement() != null && rerank.explains()) {
            explain(response.getHits().getHits(), rerank.judgement().window());
        }
        return rebuilt(response, response.getHits(), rerank.report(), rerank.timings().millis());
    }

    /** The user's page of {@code response}, whose first hits come in {@code order}. */
    static SearchResponse page(SearchResponse response, List<WindowHit> order, Rerank rerank) {
        SearchHits hits = response.getHits();
        Map<Place, Integer> places = new HashMap<>();
        for (int at = 0; at < hits.getHits().length; at++) {
            places.putIfAbsent(HitReader.place(hits.getAt(at)), at);
        }
        int total = hits.getHits().length;
        int from = Math.min(rerank.page().from(), total);
        int size = Math.min(rerank.page().size(), total - from);
        SearchHit[] shown = new SearchHit[size];
        Object[] groups = hits.getCollapseValues() == null ? null : new Object[size];
        for (int at = 0; at < size; at++) {
            int rank = from + at;
            int old = rank < order.size() ? places.get(order.get(rank).place()) : rank;
            shown[at] = hits.getAt(old);
            if (groups != null) {
                groups[at] = hits.getCollapseValues()[old];
            }
        }
        SearchHits cut =
                new SearchHits(
                        shown,
                        hits.getTotalHits(),
                        hits.getMaxScore(),
                        hits.getSortFields(),
                        hits.getCollapseField(),
                        groups);
        return rebuilt(response, cut, null, 0);
    }

    private static void explain(SearchHit[] hits, List<WindowHit> window) {
        Map<Place, Map<String, Object>> before = new HashMap<>();
        for (int at = 0; at < window.size(); at++) {
            Map<String, Object> stood = new LinkedHashMap<>();
            stood.put("first_stage_rank", at + 1);
            stood.put("first_stage_score", window.get(at).score());
            before.put(window.get(at).place(), stood);
        }
        for (SearchHit hit : hits) {
            Map<String, Object> stood = before.get(HitReader.place(hit));
            if (stood != null) {
                hit.setDocumentField(FIELD, new DocumentField(FIELD, List.of(stood)));
            }
        }
    }

    private static SearchResponse rebuilt(
            SearchResponse response, SearchHits hits, RanksideExt ext, long millis) {
        SearchResponseSections old = response.getInternalResponse();
        InternalSearchResponse sections =
                new InternalSearchResponse(
                        hits,
                        (InternalAggregations) old.aggregations(),
                        old.suggest(),
                        old.profile().isEmpty() ? null : new SearchProfileShardResults(old.profile()),
                        old.timedOut(),
                        old.terminatedEarly(),
                        old.getNumReducePhases(),
                        ext == null ? old.getSearchExtBuilders() : ext.among(old.getSearchExtBuilders()),
                        old.getProcessorResult());
        return new SearchResponse(
                sections,
                response.getScrollId(),
                response.getTotalShards(),
                response.getSuccessfulShards(),
                response.getSkippedShards(),
                // The engine's clock stops before its response is put in order.
                Math.max(millis, response.getTook().millis()),
                response.getPhaseTook(),
                response.getShardFailures(),
                response.getClusters(),
                response.pointInTimeId());
    }
}
