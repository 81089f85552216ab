package org.rankside.opensearch.search;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.opensearch.action.search.SearchRequest;
import org.opensearch.action.search.TransportSearchAction;
import org.opensearch.cluster.service.ClusterService;
import org.opensearch.common.unit.TimeValue;
import org.opensearch.core.tasks.TaskId;
import org.opensearch.threadpool.ThreadPool;
import org.opensearch.transport.client.Client;
import org.rankside.client.Sidecars;
import org.rankside.opensearch.vector.KnnVectors;
import org.rankside.search.Asking;
import org.rankside.search.Deadline;
import org.rankside.search.IndexFacts;
import org.rankside.search.Judge;
import org.rankside.search.Judgement;
import org.rankside.search.Parameters;
import org.rankside.search.PassThrough;
import org.rankside.search.Target;
import org.rankside.search.WindowHit;
import org.rankside.search.Work;

/** Makes what puts a search of this node to the sidecar, and says until when it may. */
public final class AskingFactory {
    /** Below it are what a hybrid query puts between its parts until they are normalized. */
    private static final float SENTINELS = -1e9f;

    private final Client client;
    private final ClusterService cluster;
    private final ThreadPool threads;
    private final Sidecars sidecars;
    private final IndexCatalogue catalogue;
    private final Cancellations cancellations;

    /** One for a node. */
    public AskingFactory(
            Client client,
            ClusterService cluster,
            ThreadPool threads,
            Sidecars sidecars,
            IndexCatalogue catalogue,
            Cancellations cancellations) {
        this.client = client;
        this.cluster = cluster;
        this.threads = threads;
        this.sidecars = sidecars;
        this.catalogue = catalogue;
        this.cancellations = cancellations;
    }

    /** A judgement on {@code hits} of a response, and their order by it. */
    CompletableFuture<Asking.Ordered> aboutHits(
            SearchRequest request, Rerank rerank, List<WindowHit> hits) {
        try {
            if (hits.isEmpty()) {
                throw new PassThrough("no_hits");
            }
            if (hits.stream().anyMatch(one -> one.score() < SENTINELS)) {
                throw new PassThrough(
                        "hybrid_not_normalized",
                        "the hybrid query's scores are not normalized; add neural-search's"
                                + " normalization-processor to the search pipeline");
            }
            Deadline deadline = deadline(request, rerank);
            Work work = work(rerank);
            String text = RequestText.of(request.source(), rerank.parameters());
            return work.until(
                    asking(request, rerank, text, deadline, work).aboutHits(hits),
                    deadline);
        } catch (RuntimeException error) {
            return CompletableFuture.failedFuture(error);
        }
    }

    /** A judgement on the first stage's first hits. */
    CompletableFuture<Judgement> aboutWindow(
            SearchRequest request, Rerank rerank, String text) {
        try {
            Deadline deadline = deadline(request, rerank);
            Work work = work(rerank);
            return work.until(
                    asking(request, rerank, text, deadline, work)
                            .aboutWindow(rerank.explains()),
                    deadline);
        } catch (RuntimeException error) { // an index that is not there: the user's request says so
            return CompletableFuture.failedFuture(error);
        }
    }

    private Asking asking(
            SearchRequest request, Rerank rerank, String text, Deadline deadline, Work work) {
        Parameters parameters = rerank.parameters();
        Map<String, IndexFacts> facts = catalogue.facts(request);
        if (facts.isEmpty()) {
            throw new PassThrough("no_hits");
        }
        Target target = Target.of(facts, parameters, KnnVectors.FIELDS);
        WindowSearch windows = new WindowSearch(searches(rerank), request, target, deadline);
        Judge judge = new Judge(parameters, target, text, windows, sidecars, work, deadline);
        return new Asking(judge, windows, rerank.timings());
    }

    private Work work(Rerank rerank) {
        return new Work(new SearchSurroundings(threads, cancellations, rerank.task()));
    }

    private Deadline deadline(SearchRequest request, Rerank rerank) {
        TimeValue cancelAfter =
                cluster.getClusterSettings()
                        .get(TransportSearchAction.SEARCH_CANCEL_AFTER_TIME_INTERVAL_SETTING);
        return Deadlines.of(
                request, rerank.parameters().timeout(), cancelAfter, rerank.timings().started());
    }

    /** Searches beside the user's own. */
    Searches searches(Rerank rerank) {
        TaskId parent =
                rerank.task() == 0
                        ? TaskId.EMPTY_TASK_ID
                        : new TaskId(cluster.localNode().getId(), rerank.task());
        return new Searches(client, threads, parent);
    }
}
