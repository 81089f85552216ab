package org.rankside.opensearch.search;

import java.util.List;
import org.opensearch.action.search.SearchRequest;
import org.opensearch.search.builder.SearchSourceBuilder;
import org.opensearch.search.sort.ScoreSortBuilder;
import org.opensearch.search.sort.SortBuilder;
import org.opensearch.search.sort.SortOrder;
import org.rankside.search.PassThrough;

/**
 * How the order gets into a response.
 *
 * <p>Tried on OpenSearch 3.6: a rescore beside {@code sort} is answered 400, beside {@code scroll}
 * 400, beside {@code collapse} 500. In a hybrid query each part is rescored before the parts' scores
 * are normalised, so the order is neither.
 */
enum Method {
    /** The engine rescores its hits; the response is its own. */
    RESCORE,
    /** The engine cannot rescore such a request: the hits it returns are put in order afterwards. */
    REORDER;

    private static final String HYBRID = "hybrid"; // of the neural-search plugin

    /**
     * For {@code request}, whose source is there.
     *
     * @throws PassThrough nothing may be changed about its order, or there is none
     */
    static Method of(SearchRequest request) {
        SearchSourceBuilder source = request.source();
        if (source.size() == 0) {
            throw new PassThrough("size_0");
        }
        if (!byScore(source.sorts())) {
            throw new PassThrough("sorted_by_field");
        }
        if (source.searchAfter() != null && source.searchAfter().length > 0) {
            throw new PassThrough("search_after");
        }
        if (request.scroll() != null) {
            throw new PassThrough("scroll");
        }
        boolean hybrid = source.query() != null && source.query().getName().equals(HYBRID);
        // Derived fields of a request cannot be copied into a window search.
        boolean derived = source.getDerivedFieldsObject() != null || source.getDerivedFields() != null;
        return hybrid || derived || source.collapse() != null ? REORDER : RESCORE;
    }

    /** The number of the first hit of the page, counted from 0. */
    static int from(SearchSourceBuilder source) {
        return Math.max(source.from(), 0); // -1: not said
    }

    /** How many hits a page has. */
    static int size(SearchSourceBuilder source) {
        return source.size() < 0 ? 10 : source.size();
    }

    private static boolean byScore(List<SortBuilder<?>> sorts) {
        return sorts == null
                || sorts.stream()
                        .allMatch(
                                one ->
                                        one instanceof ScoreSortBuilder
                                                && one.order() == SortOrder.DESC);
    }
}
