package org.rankside.opensearch.ingest;

import static org.opensearch.ingest.ConfigurationUtils.newConfigurationException;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;
import org.opensearch.cluster.ClusterState;
import org.opensearch.common.util.concurrent.ThreadContext;
import org.opensearch.ingest.Processor;
import org.rankside.client.SidecarSettings;
import org.rankside.client.Sidecars;
import org.rankside.ingest.Embedder;
import org.rankside.ingest.EmbeddingParameters;
import org.rankside.ingest.EmbeddingQueue;
import org.rankside.ingest.Log;
import org.rankside.ingest.Scheduler;
import org.rankside.ingest.Targets;
import org.rankside.opensearch.node.NodeSettings;

/** Makes the processors of a node, which share its queue and what it knows of mappings. */
public final class EmbeddingFactory implements Processor.Factory {
    private static final Logger LOG = LogManager.getLogger(EmbeddingFactory.class);
    // The documents of a bulk request come together.
    private static final Duration LINGER = Duration.ZERO;

    private final Supplier<Sidecars> sidecars;
    private final ThreadContext threads;
    private final Targets targets;
    private final Scheduler scheduler;
    private final long maxWaiting;
    private EmbeddingQueue queue;

    /**
     * @param sidecars not there yet when the engine asks for factories, but when it uses them
     * @param maxWaiting bytes of texts
     */
    EmbeddingFactory(
            Supplier<Sidecars> sidecars,
            ThreadContext threads,
            Supplier<ClusterState> state,
            Scheduler scheduler,
            long maxWaiting) {
        this.sidecars = sidecars;
        this.threads = threads;
        Mappings mappings = new Mappings();
        this.targets = new Targets(name -> mappings.of(state.get(), name));
        this.scheduler = scheduler;
        this.maxWaiting = maxWaiting;
    }

    /** The factories of a node, by the names of their processors. */
    public static Map<String, Processor.Factory> all(
            Processor.Parameters node, Supplier<Sidecars> sidecars) {
        EmbeddingFactory factory =
                new EmbeddingFactory(
                        sidecars,
                        node.threadContext,
                        () -> node.ingestService.getClusterService().state(),
                        (delay, work) ->
                                node.scheduler.apply(TimeUnit.NANOSECONDS.toMillis(delay.toNanos()), work),
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
            Map<String, Object> config) {
        EmbeddingParameters parameters = parameters(tag, config);
        try {
            sidecars.get().requireKey(parameters.asking().auth());
        } catch (IllegalArgumentException error) {
            throw newConfigurationException(EmbeddingProcessor.TYPE, tag, "auth", error.getMessage());
        }
        return new EmbeddingProcessor(
                tag, description, new Embedder(parameters, targets, queue()), threads);
    }

    /** The parameters in {@code config}; throws what the engine's own processors throw. */
    static EmbeddingParameters parameters(String tag, Map<String, Object> config) {
        PipelineConfig read = new PipelineConfig(tag, config);
        List<String> urls = read.texts("url");
        if (urls == null) {
            throw read.refused("url", "is missing; give the sidecar's address");
        }
        List<URI> addresses;
        try {
            addresses = SidecarSettings.addresses(urls);
        } catch (IllegalArgumentException error) {
            throw read.refused("url", error.getMessage());
        }
        return EmbeddingParameters.read(read, addresses, read.text("auth"), LINGER);
    }

    private synchronized EmbeddingQueue queue() {
        if (queue == null) {
            queue = new EmbeddingQueue(sidecars.get(), scheduler, new NodeLog(), maxWaiting);
        }
        return queue;
    }
}
