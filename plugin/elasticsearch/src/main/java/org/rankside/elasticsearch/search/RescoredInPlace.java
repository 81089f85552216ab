package org.rankside.elasticsearch.search;

import org.elasticsearch.action.search.SearchRequest;
import org.elasticsearch.action.search.SearchType;
import org.elasticsearch.search.SearchService;
import org.elasticsearch.search.builder.SearchSourceBuilder;
import org.elasticsearch.search.rescore.QueryRescorerBuilder;
import org.elasticsearch.search.retriever.RetrieverBuilder;
import org.elasticsearch.search.retriever.RetrieverBuilderWrapper;
import org.elasticsearch.search.retriever.StandardRetrieverBuilder;
import org.rankside.search.Parameters;

/**
 * A retriever's hits, rescored in the user's own search.
 *
 * <p>A search less than {@link RescoredRetriever} takes, with the same answer where {@link #serves}
 * says so. ADR 15 has the reasons.
 */
final class RescoredInPlace extends RetrieverBuilderWrapper<RescoredInPlace> {
    private final QueryRescorerBuilder rescorer;

    RescoredInPlace(RetrieverBuilder in, QueryRescorerBuilder rescorer) {
        super(in);
        this.rescorer = rescorer;
    }

    /** Whether a search of {@code inner} within {@code users} is answered alike in place. */
    static boolean serves(SearchRequest users, Parameters parameters, RetrieverBuilder inner) {
        SearchSourceBuilder source = users.source();
        return users.searchType() == SearchType.DEFAULT
                && source.retriever() instanceof RerankRetrieverBuilder top
                && top.parameters() == parameters // not one within another
                && lastWanted(source) <= parameters.window() // behind it there are no hits
                && source.collapse() == null
                && source.postFilter() == null
                && source.minScore() == null
                && source.slice() == null
                && source.indexBoosts().isEmpty()
                && inner instanceof StandardRetrieverBuilder
                && inner.retrieverName() == null
                && isPlain(alone(inner));
    }

    private static long lastWanted(SearchSourceBuilder source) {
        int size = source.size() < 0 ? SearchService.DEFAULT_SIZE : source.size();
        return (long) Math.max(0, source.from()) + size;
    }

    /** Whether its hits are in another order than that of their scores, which no rescore may be. */
    static boolean isSorted(RetrieverBuilder inner) {
        return alone(inner).sorts() != null;
    }

    private static boolean isPlain(SearchSourceBuilder alone) {
        return alone.sorts() == null && alone.collapse() == null && alone.minScore() == null;
    }

    /** The search that it is by itself. */
    private static SearchSourceBuilder alone(RetrieverBuilder inner) {
        SearchSourceBuilder alone = new SearchSourceBuilder();
        inner.extractToSearchSourceBuilder(alone, true);
        return alone;
    }

    @Override
    protected RescoredInPlace clone(RetrieverBuilder sub) {
        return new RescoredInPlace(sub, rescorer);
    }

    @Override
    public void extractToSearchSourceBuilder(SearchSourceBuilder source, boolean compoundUsed) {
        super.extractToSearchSourceBuilder(source, compoundUsed);
        source.addRescorer(rescorer);
    }
}
