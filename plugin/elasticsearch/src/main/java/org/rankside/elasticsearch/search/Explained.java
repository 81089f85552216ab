package org.rankside.elasticsearch.search;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.elasticsearch.search.SearchExtBuilder;
import org.elasticsearch.search.builder.SearchSourceBuilder;
import org.elasticsearch.search.retriever.RetrieverBuilder;
import org.elasticsearch.search.retriever.RetrieverBuilderWrapper;

/** Another retriever, whose hits say where they were before. */
final class Explained extends RetrieverBuilderWrapper<Explained> {
    private final Map<String, Object> before;

    Explained(RetrieverBuilder in, Map<String, Object> before) {
        super(in);
        this.before = before;
    }

    @Override
    protected Explained clone(RetrieverBuilder sub) {
        return new Explained(sub, before);
    }

    @Override
    public void extractToSearchSourceBuilder(SearchSourceBuilder source, boolean compoundUsed) {
        super.extractToSearchSourceBuilder(source, compoundUsed);
        List<SearchExtBuilder> ext = new ArrayList<>(source.ext());
        ext.add(new BeforeExt(before));
        source.ext(ext);
    }
}
