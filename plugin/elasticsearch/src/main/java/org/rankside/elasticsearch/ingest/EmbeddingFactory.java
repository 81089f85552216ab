package org.rankside.elasticsearch.ingest;

import static org.elasticsearch.ingest.ConfigurationUtils.newConfigurationException;

import java.time.Duration;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.elasticsearch.cluster.ClusterState;
import org.elasticsearch.cluster.metadata.ProjectId;
import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.elasticsearch.ingest.Processor;
import org.rankside.elasticsearch.node.NodeSettings;
import org.rankside.elasticsearch.node.NodeSidecar;
import org.rankside.ingest.Embedder;
import org.rankside.ingest.EmbeddingParameters;
import org.rankside.ingest.EmbeddingQueue;
import org.rankside.ingest.Log;
import org.rankside.ingest.Scheduler;
import org.rankside.ingest.Targets;

/** Makes the processors of a node, which share its queue and what it knows of mappings. */
public final class EmbeddingFactory implements Processor.Factory {
    private static final Logger LOG = LogManager.getLogger(EmbeddingFactory.class);
    // Far less than embedding one text takes, and far more than the engine takes from one document
    // of a bulk request to the next.
    private static final Duration LINGER = Duration.ofMillis(5);

    private final Supplier<NodeSidecar> sidecar;
    private final ThreadContext threads;
    private final Supplier<ClusterState> state;
    private final Scheduler scheduler;
    private final long maxWaiting;
    private final Mappings mappings = new Mappings();
    private EmbeddingQueue queue;

    /**
     * @param sidecar not there yet when the engine asks for factories, but when it uses them
     * @param maxWaiting bytes of texts
     */
    EmbeddingFactory(
            Supplier<NodeSidecar> sidecar,
            ThreadContext threads,
            Supplier<ClusterState> state,
            Scheduler scheduler,
            long maxWaiting) {
        this.sidecar = sidecar;
        this.threads = threads;
        this.state = state;
        this.scheduler = scheduler;
        this.maxWaiting = maxWaiting;
    }

    /** The factories of a node, by the names of their processors. */
    public static Map<String, Processor.Factory> all(
            Processor.Parameters node, Supplier<NodeSidecar> sidecar) {
        EmbeddingFactory factory =
                new EmbeddingFactory(
                        sidecar,
                        node.threadContext,
                        () -> node.ingestService.getClusterService().state(),
                        (delay, work) -> node.scheduler.apply(millis(delay), work),
                        NodeSettings.MAX_WAITING.get(node.env.settings()).getBytes());
        return Map.of(EmbeddingProcessor.TYPE, factory);
    }

    /** What the node's log says of its documents. */
    private static final class NodeLog implements Log {
        @Override
        public void failing(String why) {
            LOG.warn("documents are not embedded, and fail: {}", why);
        }

        @Override
        public void recovered() {
            LOG.info("documents are embedded again");
        }
    }

    @Override
    public Processor create(
            Map<String, Processor.Factory> factories,
            String tag,
            String description,
            Map<String, Object> config,
            ProjectId project) {
        NodeSidecar node = sidecar.get();
        if (!node.isSet()) {
            throw newConfigurationException(EmbeddingProcessor.TYPE, tag, null, NodeSidecar.unset());
        }
        EmbeddingParameters parameters =
                EmbeddingParameters.read(
                        new PipelineConfig(tag, config), node.urls(), node.auth(), LINGER);
        Targets targets =
                new Targets(name -> mappings.of(state.get().metadata().getProject(project), name));
        return new EmbeddingProcessor(
                tag, description, new Embedder(parameters, targets, queue(node)), threads);
    }

    /** In the engine's unit; not less than what was asked for. */
    static long millis(Duration delay) {
        return delay.plusNanos(999_999).toMillis();
    }

    private synchronized EmbeddingQueue queue(NodeSidecar node) {
        if (queue == null) {
            queue = new EmbeddingQueue(node.sidecars(), scheduler, new NodeLog(), maxWaiting);
        }
        return queue;
    }
}
