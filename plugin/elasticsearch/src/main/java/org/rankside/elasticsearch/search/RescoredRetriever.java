package org.rankside.elasticsearch.search;

import java.util.List;
import java.util.Objects;
import org.apache.lucene.search.ScoreDoc;
import org.elasticsearch.index.query.QueryBuilder;
import org.elasticsearch.search.builder.SearchSourceBuilder;
import org.elasticsearch.search.rank.RankDoc;
import org.elasticsearch.search.rescore.QueryRescorerBuilder;
import org.elasticsearch.search.retriever.CompoundRetrieverBuilder;
import org.elasticsearch.xcontent.XContentBuilder;

/**
 * The hits of another retriever, rescored on their shards.
 *
 * <p>As the engine's own {@code rescorer}, which forgets its {@code min_score} when it is rewritten.
 */
final class RescoredRetriever extends CompoundRetrieverBuilder<RescoredRetriever> {
    private final QueryRescorerBuilder rescorer;

    RescoredRetriever(RetrieverSource inner, QueryRescorerBuilder rescorer) {
        super(List.of(inner), rescorer.windowSize());
        this.rescorer = rescorer;
    }

    @Override
    protected RescoredRetriever clone(
            List<RetrieverSource> newChildRetrievers, List<QueryBuilder> newPreFilterQueryBuilders) {
        RescoredRetriever copy = new RescoredRetriever(newChildRetrievers.getFirst(), rescorer);
        copy.preFilterQueryBuilders = newPreFilterQueryBuilders;
        copy.retrieverName = retrieverName;
        copy.minScore = minScore;
        return copy;
    }

    @Override
    protected SearchSourceBuilder finalizeSourceBuilder(SearchSourceBuilder source) {
        return source.addRescorer(rescorer);
    }

    @Override
    protected RankDoc[] combineInnerRetrieverResults(List<ScoreDoc[]> found, boolean explain) {
        ScoreDoc[] hits = found.getFirst();
        RankDoc[] ranked = new RankDoc[hits.length];
        for (int at = 0; at < hits.length; at++) {
            ranked[at] = new RankDoc(hits[at].doc, hits[at].score, hits[at].shardIndex);
            ranked[at].rank = at + 1;
        }
        return ranked;
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
    public boolean doEquals(Object other) {
        return super.doEquals(other) && rescorer.equals(((RescoredRetriever) other).rescorer);
    }

    @Override
    public int doHashCode() {
        return Objects.hash(super.doHashCode(), rescorer);
    }
}
