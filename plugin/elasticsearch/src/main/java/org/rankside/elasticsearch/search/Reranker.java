package org.rankside.elasticsearch.search;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.elasticsearch.action.ResolvedIndices;
import org.elasticsearch.client.internal.Client;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.cluster.service.ClusterService;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.index.query.QueryRewriteContext;
import org.elasticsearch.search.rank.RankDoc;
import org.elasticsearch.search.retriever.RetrieverBuilder;
import org.elasticsearch.threadpool.ThreadPool;
import org.rankside.elasticsearch.node.NodeSidecar;
import org.rankside.elasticsearch.vector.DenseVectors;
import org.rankside.search.Asking;
import org.rankside.search.Deadline;
import org.rankside.search.Failures;
import org.rankside.search.IndexFacts;
import org.rankside.search.Judge;
import org.rankside.search.Judgement;
import org.rankside.search.KeptFacts;
import org.rankside.search.Parameters;
import org.rankside.search.PassLog;
import org.rankside.search.PassThrough;
import org.rankside.search.Strategy;
import org.rankside.search.Target;
import org.rankside.search.Timings;
import org.rankside.search.WindowHit;
import org.rankside.search.Work;

/** Has the hits of retrievers judged, for the searches of this node. */
public final class Reranker {
    private static final Logger LOG = LogManager.getLogger(Reranker.class);
    private static final Map<String, String> NAMES = Map.of("window", "rank_window_size");

    private final NodeSidecar sidecar;
    private final ThreadPool threads;
    private final ClusterService cluster;
    private final KeptFacts kept = new KeptFacts();
    private final Settlement settlement;

    /** One for a node. */
    public Reranker(NodeSidecar sidecar, ThreadPool threads, ClusterService cluster) {
        this.sidecar = sidecar;
        this.threads = threads;
        this.cluster = cluster;
        this.settlement =
                new Settlement(
                        sidecar.sidecars().stats(),
                        new PassLog(System::nanoTime, LOG::warn),
                        threads.getThreadContext());
    }

    /**
     * What a retriever says.
     *
     * @throws IllegalArgumentException something is wrong or missing
     */
    Parameters parameters(Map<String, Object> said) {
        if (!sidecar.isSet()) {
            throw new IllegalArgumentException(NodeSidecar.unset());
        }
        Parameters parameters = Parameters.ofSearch(sidecar.urls(), sidecar.auth(), said, NAMES);
        if (parameters.queryText() == null && parameters.strategy() != Strategy.NONE) {
            throw new IllegalArgumentException(
                    "rankside has no query_text; give it the text to rank for");
        }
        return parameters;
    }

    /**
     * Has what {@code inner} retrieves judged, before the search goes on.
     *
     * @param begun when the retriever was first rewritten, in {@link System#nanoTime} nanoseconds
     */
    void judge(
            QueryRewriteContext context,
            Parameters parameters,
            RetrieverBuilder inner,
            long begun,
            Consumer<Outcome> judged) {
        context.registerAsyncAction(
                (client, listener) -> {
                    Timings timings = new Timings();
                    outcome(context, client, parameters, inner, begun, timings)
                            .exceptionally(error -> Outcome.passed(Failures.of(error)))
                            .thenAccept(
                                    outcome ->
                                            settlement.settle(
                                                    outcome, parameters, timings, judged, listener));
                });
    }

    private CompletableFuture<Outcome> outcome(
            QueryRewriteContext context,
            Client client,
            Parameters parameters,
            RetrieverBuilder inner,
            long begun,
            Timings timings) {
        try {
            UserSearch search = threads.getThreadContext().getTransient(UserSearch.KEY);
            if (parameters.strategy() == Strategy.NONE) {
                throw new PassThrough("strategy_none");
            }
            if (search.wantsNoHits()) {
                throw new PassThrough("size_0");
            }
            Target target =
                    Target.of(facts(context.getResolvedIndices()), parameters, DenseVectors.FIELDS);
            Deadline deadline = deadline(parameters, search, begun, timings);
            Work work = new Work(new SearchSurroundings(threads, search));
            Searches searches =
                    new Searches(
                            client,
                            threads.getThreadContext(),
                            search.parent(cluster.localNode().getId()),
                            context.getPointInTimeBuilder(),
                            deadline);
            WindowSearch windows =
                    new WindowSearch(
                            searches,
                            source -> inner.extractToSearchSourceBuilder(source, true),
                            target);
            Judge judge =
                    new Judge(
                            parameters,
                            target,
                            parameters.queryText(),
                            windows,
                            sidecar.sidecars(),
                            work,
                            deadline);
            boolean ordered =
                    parameters.strategy() != Strategy.E2RANK
                            || parameters.exactWindow()
                            || RescoredInPlace.isSorted(inner);
            boolean inPlace = RescoredInPlace.serves(search.request(), parameters, inner);
            CompletableFuture<Outcome> done =
                    new Asking(judge, windows, timings)
                            .aboutWindow(ordered || context.isExplain())
                            .thenCompose(
                                    judgement ->
                                            ordered
                                                    ? ordered(judge, judgement, windows)
                                                    : CompletableFuture.completedFuture(
                                                            Outcome.rescored(judgement, inPlace)));
            return work.until(done, deadline);
        } catch (RuntimeException error) {
            return CompletableFuture.failedFuture(error);
        }
    }

    private static CompletableFuture<Outcome> ordered(
            Judge judge, Judgement judgement, WindowSearch windows) {
        List<WindowHit> window = judgement.window();
        return judge.ordered(window, judgement.steps())
                .thenApply(
                        order ->
                                Outcome.ordered(
                                        judgement, ranked(windows.spots(order)), windows.spots(window)));
    }

    /** Scored by their place alone: n, n-1, … 1. */
    private static RankDoc[] ranked(RankDoc[] order) {
        RankDoc[] ranked = new RankDoc[order.length];
        for (int at = 0; at < order.length; at++) {
            ranked[at] = new RankDoc(order[at].doc, order.length - at, order[at].shardIndex);
            ranked[at].rank = at + 1;
        }
        return ranked;
    }

    /**
     * When it is to be done.
     *
     * <p>What the search waited for before, its point in time above all, is of its time too: a busy
     * node takes longer for that than for anything else. What the inner retriever does is not.
     */
    private static Deadline deadline(
            Parameters parameters, UserSearch search, long begun, Timings timings) {
        Duration waited = Duration.ofNanos(begun - search.begun());
        TimeValue own = search.request().source().timeout();
        return Deadline.in(parameters.timeout().minus(waited))
                .noLaterThan(
                        timings.started(),
                        own == null ? null : Duration.ofNanos(own.nanos()));
    }

    private Map<String, IndexFacts> facts(ResolvedIndices indices) {
        if (!indices.getRemoteClusterIndices().isEmpty()) {
            throw new PassThrough(
                    "remote_indices",
                    indices.getRemoteClusterIndices().keySet().iterator().next()
                            + " is another cluster, whose mappings are not known here; search it there,"
                            + " or through the client side");
        }
        Map<String, IndexFacts> facts = new TreeMap<>();
        for (IndexMetadata index : indices.getConcreteLocalIndicesMetadata().values()) {
            String name = index.getIndex().getName();
            IndexFacts found =
                    kept.of(
                            name,
                            index.getIndexUUID(),
                            index.getMappingVersion(),
                            () -> mapping(index));
            facts.put(name, found);
        }
        if (facts.isEmpty()) {
            throw new PassThrough("no_hits");
        }
        return facts;
    }

    private static Map<String, Object> mapping(IndexMetadata index) {
        return index.mapping() == null ? Map.of() : index.mapping().sourceAsMap();
    }
}
