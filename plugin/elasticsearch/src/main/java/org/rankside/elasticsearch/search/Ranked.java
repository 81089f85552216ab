package org.rankside.elasticsearch.search;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.elasticsearch.search.SearchExtBuilder;
import org.elasticsearch.search.SearchService;
import org.elasticsearch.search.builder.SearchSourceBuilder;
import org.elasticsearch.search.retriever.RetrieverBuilder;
import org.elasticsearch.search.retriever.RetrieverBuilderWrapper;

/** The core's retriever of a window in its new order, with the page that every search has. */
final class Ranked extends RetrieverBuilderWrapper<Ranked> {
    private final Map<String, Object> before;

    /**
     * Of hits that may say where they were.
     *
     * @param before by the names of their places; null: they say nothing
     */
    Ranked(RetrieverBuilder in, Map<String, Object> before) {
        super(in);
        this.before = before;
    }

    @Override
    protected Ranked clone(RetrieverBuilder sub) {
        return new Ranked(sub, before);
    }

    @Override
    public void extractToSearchSourceBuilder(SearchSourceBuilder source, boolean compoundUsed) {
        if (source.size() < 0) { // else it would be the whole window
            source.size(SearchService.DEFAULT_SIZE);
        }
        super.extractToSearchSourceBuilder(source, compoundUsed);
        if (before != null) {
            List<SearchExtBuilder> ext = new ArrayList<>(source.ext());
            ext.add(new BeforeExt(before));
            source.ext(ext);
        }
    }
}
