package org.rankside.opensearch.search;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.opensearch.OpenSearchException;
import org.opensearch.OpenSearchStatusException;
import org.opensearch.action.search.SearchRequest;
import org.opensearch.action.search.SearchResponse;
import org.opensearch.core.action.ActionListener;
import org.opensearch.core.rest.RestStatus;
import org.opensearch.core.tasks.TaskCancelledException;
import org.opensearch.search.SearchHit;
import org.opensearch.search.builder.SearchSourceBuilder;
import org.opensearch.search.rescore.QueryRescorerBuilder;
import org.rankside.client.Stats;
import org.rankside.search.Failures;
import org.rankside.search.Judgement;
import org.rankside.search.OnFailure;
import org.rankside.search.Parameters;
import org.rankside.search.PassLog;
import org.rankside.search.PassThrough;
import org.rankside.search.Strategy;
import org.rankside.search.WindowHit;

/** Reranks searches of this node: a request on its way in, where that is not right a response. */
public final class Reranker {
    private static final Logger LOG = LogManager.getLogger(Reranker.class);

    private final AskingFactory askings;
    private final Stats stats;
    private final PassLog log = new PassLog(System::nanoTime, LOG::warn);

    /** One for a node. */
    public Reranker(AskingFactory askings, Stats stats) {
        this.askings = askings;
        this.stats = stats;
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
            judged = askings.aboutWindow(request, rerank, text);
        } catch (PassThrough passed) {
            judged = CompletableFuture.failedFuture(passed);
        }
        judged.thenAccept(judgement -> rescore(request, rerank, judgement))
                .whenComplete((done, error) -> rewritten(request, rerank, error, listener));
    }

    private static void rescore(SearchRequest request, Rerank rerank, Judgement judgement) {
        List<QueryRescorerBuilder> rescorers =
                Rescorers.of(judgement, rerank.parameters().window());
        rescorers.forEach(request.source()::addRescorer);
        rerank.rescored(judgement, rescorers);
    }

    private void rewritten(
            SearchRequest request,
            Rerank rerank,
            Throwable error,
            ActionListener<SearchRequest> listener) {
        if (error != null) {
            PassThrough passed = Failures.of(error);
            rerank.pass(passed);
            if (fails(rerank, passed)) {
                listener.onFailure(refused(passed));
                return;
            }
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
        } else if (rerank.changed() && failedByUs(response)) {
            plain(rerank, response, listener);
        } else {
            listener.onResponse(answer(response, rerank));
        }
    }

    /** The engine refused the request: without what we added it may not, or say so itself. */
    void failure(Rerank rerank, Exception error, ActionListener<SearchResponse> listener) {
        rerank.handedBack();
        if (!rerank.changed() || Searches.noneOfOurs(error)) {
            listener.onFailure(error);
            return;
        }
        askings.searches(rerank)
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
        stats.searched(rerank.status(), rerank.reason());
        log.passed(rerank.passed());
        return Responses.with(response, rerank);
    }

    private static boolean failedByUs(SearchResponse response) {
        return Arrays.stream(response.getShardFailures())
                .anyMatch(one -> !Searches.noneOfOurs(one.getCause()));
    }

    private void plain(
            Rerank rerank, SearchResponse response, ActionListener<SearchResponse> listener) {
        int failed = response.getFailedShards();
        String why = String.valueOf(response.getShardFailures()[0].reason());
        askings.searches(rerank)
                .run(rerank.plain())
                .whenComplete(
                        (plain, error) -> {
                            if (error != null || plain.getFailedShards() >= failed) {
                                ActionListener.completeWith(listener, () -> answer(response, rerank));
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
        ActionListener.completeWith(
                listener,
                () -> {
                    if (fails(rerank, passed)) {
                        throw refused(passed);
                    }
                    rerank.pass(passed);
                    return answer(plain, rerank);
                });
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
                        .map(HitReader::bare)
                        .toList();
        askings
                .aboutHits(request, rerank, first)
                .whenComplete(
                        (ordered, error) -> {
                            if (error == null) {
                                rerank.reordered(ordered.judgement());
                                ActionListener.completeWith(
                                        listener,
                                        () -> page(response, ordered.hits(), rerank));
                                return;
                            }
                            PassThrough passed = Failures.of(error);
                            ActionListener.completeWith(
                                    listener,
                                    () -> {
                                        if (fails(rerank, passed)) {
                                            throw refused(passed);
                                        }
                                        rerank.pass(passed);
                                        return page(response, first, rerank);
                                    });
                        });
    }

    private SearchResponse page(SearchResponse response, List<WindowHit> order, Rerank rerank) {
        return answer(Responses.page(response, order, rerank), rerank);
    }

    private static boolean fails(Rerank rerank, PassThrough passed) {
        boolean asked = passed.failed() && rerank.parameters().onFailure() == OnFailure.FAIL;
        return asked || Failures.cancelled(passed);
    }

    private OpenSearchException refused(PassThrough passed) {
        if (Failures.cancelled(passed)) {
            return new TaskCancelledException(passed.getMessage());
        }
        stats.searched("failed", passed.reason());
        return new OpenSearchStatusException(
                "rankside could not rerank (" + passed.reason() + "): " + passed.getMessage(),
                RestStatus.SERVICE_UNAVAILABLE,
                passed);
    }
}
