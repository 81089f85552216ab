package org.rankside.opensearch.search;

import java.util.Map;
import java.util.function.Supplier;
import org.opensearch.action.search.SearchRequest;
import org.opensearch.common.util.concurrent.ThreadContext;
import org.opensearch.core.action.ActionListener;
import org.opensearch.search.pipeline.AbstractProcessor;
import org.opensearch.search.pipeline.PipelineProcessingContext;
import org.opensearch.search.pipeline.Processor;
import org.opensearch.search.pipeline.SearchRequestProcessor;
import org.rankside.client.Sidecars;
import org.rankside.search.Parameters;

/** The search request processor {@code rankside}: searches through its pipeline come back reranked. */
public final class RerankProcessor extends AbstractProcessor implements SearchRequestProcessor {
    /** Its name in a pipeline. */
    public static final String TYPE = "rankside";

    private final Parameters parameters;
    private final Reranker reranker;
    private final ThreadContext context;

    private RerankProcessor(
            String tag,
            String description,
            boolean ignoreFailure,
            Parameters parameters,
            Reranker reranker,
            ThreadContext context) {
        super(tag, description, ignoreFailure);
        this.parameters = parameters;
        this.reranker = reranker;
        this.context = context;
    }

    @Override
    public String getType() {
        return TYPE;
    }

    /** Never: a thread would have to wait. */
    @Override
    public SearchRequest processRequest(SearchRequest request) {
        throw new UnsupportedOperationException("rankside rewrites requests asynchronously only");
    }

    @Override
    public void processRequestAsync(
            SearchRequest request,
            PipelineProcessingContext pipeline,
            ActionListener<SearchRequest> listener) {
        Rerank rerank = context.getTransient(Rerank.KEY);
        try {
            if (rerank == null) { // no search that a client sent, such as a simulated one
                rerank = new Rerank(request, null);
            }
            reranker.request(request, parameters, rerank, listener);
        } catch (RuntimeException error) {
            listener.onFailure(error);
        }
    }

    /** Makes a processor of a pipeline's words. */
    public static final class Factory implements Processor.Factory<SearchRequestProcessor> {
        private final Supplier<Reranker> reranker;
        private final Supplier<Sidecars> sidecars;
        private final ThreadContext context;

        /** The node's parts are there only after its factories. */
        public Factory(
                Supplier<Reranker> reranker, Supplier<Sidecars> sidecars, ThreadContext context) {
            this.reranker = reranker;
            this.sidecars = sidecars;
            this.context = context;
        }

        @Override
        public SearchRequestProcessor create(
                Map<String, Processor.Factory<SearchRequestProcessor>> factories,
                String tag,
                String description,
                boolean ignoreFailure,
                Map<String, Object> config,
                PipelineContext pipeline) {
            if (pipeline.getPipelineSource() == PipelineSource.SEARCH_REQUEST) {
                // Whoever may search could have passages and keys sent anywhere.
                throw new IllegalArgumentException(
                        "a search may not bring a rankside processor of its own; store the pipeline with"
                                + " PUT /_search/pipeline/NAME and search with search_pipeline=NAME");
            }
            Parameters parameters = Parameters.ofPipeline(config);
            sidecars.get().requireKey(parameters.auth());
            return new RerankProcessor(
                    tag, description, ignoreFailure, parameters, reranker.get(), context);
        }
    }
}
