package org.rankside.elasticsearch.search;

import java.util.List;
import java.util.function.Supplier;
import org.elasticsearch.index.query.QueryBuilder;
import org.elasticsearch.index.query.QueryRewriteContext;
import org.elasticsearch.search.builder.SearchSourceBuilder;
import org.elasticsearch.search.rescore.QueryRescorerBuilder;
import org.elasticsearch.search.retriever.CompoundRetrieverBuilder.RetrieverSource;
import org.elasticsearch.search.retriever.RankDocsRetrieverBuilder;
import org.elasticsearch.search.retriever.RetrieverBuilder;
import org.elasticsearch.xcontent.XContentBuilder;
import org.rankside.search.Step;

/** A retriever whose hits are being judged: it is rewritten once that is done. */
final class JudgedRetriever extends RetrieverBuilder {
    private final RetrieverBuilder inner;
    private final int window;
    private final Supplier<Outcome> judged;

    JudgedRetriever(RetrieverBuilder inner, int window, Supplier<Outcome> judged) {
        this.inner = inner;
        this.window = window;
        this.judged = judged;
    }

    @Override
    public boolean isCompound() {
        return true;
    }

    @Override
    public RetrieverBuilder rewrite(QueryRewriteContext context) {
        Outcome outcome = judged.get();
        if (outcome.judgement() == null) {
            return inner;
        }
        RetrieverBuilder ranked = outcome.order() == null ? rescored(outcome) : ordered(outcome);
        ranked.retrieverName(retrieverName);
        return new Ranked(ranked, context.isExplain() ? outcome.before() : null);
    }

    private RetrieverBuilder rescored(Outcome outcome) {
        Step.ByVector step = (Step.ByVector) outcome.judgement().steps().getFirst();
        QueryRescorerBuilder rescorer = Rescorers.of(step, window);
        if (outcome.inPlace() && minScore == null && retrieverName == null) {
            return new RescoredInPlace(inner, rescorer);
        }
        return new RescoredRetriever(RetrieverSource.from(inner), rescorer).minScore(minScore);
    }

    private RetrieverBuilder ordered(Outcome outcome) {
        inner.setRankDocs(outcome.first()); // by which some make their query
        return new RankDocsRetrieverBuilder(window, List.of(inner), outcome::order, minScore);
    }

    @Override
    public QueryBuilder topDocsQuery() {
        throw new IllegalStateException("it is not rewritten yet");
    }

    @Override
    public void extractToSearchSourceBuilder(SearchSourceBuilder source, boolean compoundUsed) {
        throw new IllegalStateException("it is not rewritten yet");
    }

    @Override
    public String getName() {
        return RerankRetrieverBuilder.NAME;
    }

    @Override
    protected void doToXContent(XContentBuilder builder, Params params) {
        throw new UnsupportedOperationException("a search is written before it is rewritten");
    }

    @Override
    protected boolean doEquals(Object other) {
        return this == other;
    }

    @Override
    protected int doHashCode() {
        return inner.hashCode();
    }
}
