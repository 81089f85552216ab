package org.rankside.opensearch.search;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.opensearch.OpenSearchStatusException;
import org.opensearch.action.search.SearchRequest;
import org.opensearch.action.search.SearchResponse;
import org.opensearch.cluster.service.ClusterService;
import org.opensearch.core.action.ActionListener;
import org.opensearch.core.rest.RestStatus;
import org.opensearch.core.tasks.TaskId;
import org.opensearch.search.SearchHit;
import org.opensearch.search.builder.SearchSourceBuilder;
import org.opensearch.search.rescore.QueryRescorerBuilder;
import org.opensearch.threadpool.ThreadPool;
import org.opensearch.transport.client.Client;
import org.rankside.opensearch.node.Sidecars;

/** Reranks searches of this node: a request on its way in, where that is not right a response. */
public final class Reranker {
    /** Below it are what a hybrid query puts between its parts until they are normalized. */
    private static final float SENTINELS = -1e9f;

    private final Client client;
    private final ClusterService cluster;
    private final ThreadPool threads;
    private final Sidecars sidecars;
    private final IndexCatalogue catalogue;
    private final Cancellations cancellations;
    private final PassLog log = new PassLog(System::nanoTime);

    /** One for a node. */
    public Reranker(
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

    /** {@code request} with what puts its hits in order, or as it was; an error for a wrong one. */
    void request(
            SearchRequest request,
            Parameters pipeline,
            Rerank rerank,
            ActionListener<SearchRequest> listener) {
        if (request.source() == null) {
            request.source(new SearchSourceBuilder());
        }
        SearchSourceBuilder source = request.source();
        rerank.begin(pipeline); // also where the request's own word is wrong
        rerank.pass(new PassThrough("wrong_request")); // seen where the pipeline ignores failures
        Parameters parameters = pipeline.overridden(RanksideExt.of(source));
        rerank.begin(parameters);
        CompletableFuture<Judgement> judged;
        try {
            if (parameters.strategy() == Strategy.NONE) {
                throw new PassThrough("strategy_none");
            }
            Method method = Method.of(request);
            String text = RequestText.of(source, parameters);
            if (method == Method.REORDER) {
                deepen(source, parameters, rerank);
                rerank.handOver();
                listener.onResponse(request);
                return;
            }
            judged = judged(request, rerank, text);
        } catch (PassThrough passed) {
            judged = CompletableFuture.failedFuture(passed);
        }
        judged.whenComplete((judgement, error) -> rewritten(request, rerank, judgement, error, listener));
    }

    private void rewritten(
            SearchRequest request,
            Rerank rerank,
            Judgement judgement,
            Throwable error,
            ActionListener<SearchRequest> listener) {
        if (error != null) {
            PassThrough passed = Failures.of(error);
            rerank.pass(passed);
            if (fails(rerank, passed)) {
                listener.onFailure(refused(passed));
                return;
            }
        } else {
            List<QueryRescorerBuilder> rescorers =
                    Rescorers.of(judgement, rerank.parameters().window());
            rescorers.forEach(request.source()::addRescorer);
            rerank.rescored(judgement, rescorers);
        }
        rerank.handOver();
        listener.onResponse(request);
    }

    /** The response that the user gets for what the engine answered. */
    void response(
            SearchRequest request,
            Rerank rerank,
            SearchResponse response,
            ActionListener<SearchResponse> listener) {
        rerank.handedBack();
        if (rerank.page() != null) {
            reorder(request, rerank, response, listener);
        } else if (rerank.changed() && response.getFailedShards() > 0) {
            plain(rerank, response, listener);
        } else {
            listener.onResponse(answer(response, rerank));
        }
    }

    /** The engine refused the request: without what we added it may not, or say so itself. */
    void failure(Rerank rerank, Exception error, ActionListener<SearchResponse> listener) {
        rerank.handedBack();
        if (!rerank.changed()) {
            listener.onFailure(error);
            return;
        }
        searches(rerank)
                .run(rerank.plain())
                .whenComplete(
                        (plain, again) -> {
                            if (again != null) {
                                listener.onFailure(error);
                                return;
                            }
                            PassThrough passed =
                                    new PassThrough(
                                            "rescore_refused",
                                            "the engine refused the request with the rescore: "
                                                    + error.getMessage(),
                                            error);
                            passedOr(rerank, passed, plain, listener);
                        });
    }

    private SearchResponse answer(SearchResponse response, Rerank rerank) {
        sidecars.stats().searched(rerank.status(), rerank.reason());
        log.passed(rerank.passed());
        return Responses.with(response, rerank);
    }

    private void plain(
            Rerank rerank, SearchResponse response, ActionListener<SearchResponse> listener) {
        int failed = response.getFailedShards();
        String why = String.valueOf(response.getShardFailures()[0].reason());
        searches(rerank)
                .run(rerank.plain())
                .whenComplete(
                        (plain, error) -> {
                            if (error != null || plain.getFailedShards() >= failed) {
                                listener.onResponse(answer(response, rerank));
                                return;
                            }
                            PassThrough passed =
                                    new PassThrough(
                                            "rescore_failed_on_shards:" + failed,
                                            "the rescore failed on " + failed
                                                    + " shards, the first saying: " + why);
                            passedOr(rerank, passed, plain, listener);
                        });
    }

    private void passedOr(
            Rerank rerank,
            PassThrough passed,
            SearchResponse plain,
            ActionListener<SearchResponse> listener) {
        if (fails(rerank, passed)) {
            listener.onFailure(refused(passed));
        } else {
            rerank.pass(passed);
            listener.onResponse(answer(plain, rerank));
        }
    }

    private static void deepen(SearchSourceBuilder source, Parameters parameters, Rerank rerank) {
        Rerank.Page page = new Rerank.Page(Method.from(source), Method.size(source));
        source.from(0).size(Math.max(parameters.window(), page.from() + page.size()));
        rerank.reorderLater(page);
    }

    private void reorder(
            SearchRequest request,
            Rerank rerank,
            SearchResponse response,
            ActionListener<SearchResponse> listener) {
        SearchHit[] hits = response.getHits().getHits();
        int window = Math.min(hits.length, rerank.parameters().window());
        List<WindowHit> first =
                Arrays.stream(hits, 0, window)
                        .map(
                                hit ->
                                        new WindowHit(
                                                Place.of(hit),
                                                Float.isFinite(hit.getScore()) ? hit.getScore() : 0f,
                                                null,
                                                null,
                                                null))
                        .toList();
        ordered(request, rerank, first)
                .whenComplete(
                        (ordered, error) -> {
                            PassThrough passed = error == null ? null : Failures.of(error);
                            if (passed != null && fails(rerank, passed)) {
                                listener.onFailure(refused(passed));
                                return;
                            }
                            List<WindowHit> order = first;
                            if (passed == null) {
                                rerank.reordered(ordered.judgement());
                                order = ordered.hits();
                            } else {
                                rerank.pass(passed);
                            }
                            listener.onResponse(
                                    answer(Responses.page(response, order, rerank), rerank));
                        });
    }

    private CompletableFuture<Asking.Ordered> ordered(
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
            Work work = new Work(threads, cancellations);
            String text = RequestText.of(request.source(), rerank.parameters());
            return work.until(
                    asking(request, rerank, text, deadline, work).aboutHits(hits),
                    deadline,
                    rerank.task());
        } catch (RuntimeException error) {
            return CompletableFuture.failedFuture(error);
        }
    }

    private CompletableFuture<Judgement> judged(
            SearchRequest request, Rerank rerank, String text) {
        try {
            Deadline deadline = deadline(request, rerank);
            Work work = new Work(threads, cancellations);
            return work.until(
                    asking(request, rerank, text, deadline, work)
                            .aboutWindow(rerank.explains()),
                    deadline,
                    rerank.task());
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
        Target target = Target.of(facts, parameters);
        WindowSearch windows = new WindowSearch(searches(rerank), request, target, deadline);
        Sidecar sidecar = new Sidecar(sidecars, work, parameters, deadline);
        Judge judge = new Judge(parameters, target, text, sidecar, windows);
        return new Asking(judge, windows, rerank.timings());
    }

    private Deadline deadline(SearchRequest request, Rerank rerank) {
        return Deadline.of(request, rerank.parameters().timeout(), rerank.timings().started());
    }

    private Searches searches(Rerank rerank) {
        TaskId parent =
                rerank.task() == 0
                        ? TaskId.EMPTY_TASK_ID
                        : new TaskId(cluster.localNode().getId(), rerank.task());
        return new Searches(client, threads, parent);
    }

    private static boolean fails(Rerank rerank, PassThrough passed) {
        return passed.failed() && rerank.parameters().onFailure() == OnFailure.FAIL;
    }

    private OpenSearchStatusException refused(PassThrough passed) {
        sidecars.stats().searched("failed", passed.reason());
        return new OpenSearchStatusException(
                "rankside could not rerank (" + passed.reason() + "): " + passed.getMessage(),
                RestStatus.SERVICE_UNAVAILABLE,
                passed);
    }
}
