package org.rankside.opensearch.ingest;

import static org.opensearch.ingest.ConfigurationUtils.newConfigurationException;

import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.opensearch.cluster.ClusterState;
import org.opensearch.common.util.concurrent.ThreadContext;
import org.opensearch.ingest.Processor;
import org.rankside.client.Sidecars;
import org.rankside.opensearch.node.NodeSettings;

/** Makes the processors of a node, which share its queue and what it knows of mappings. */
public final class EmbeddingFactory implements Processor.Factory {
    private final Supplier<Sidecars> sidecars;
    private final ThreadContext threads;
    private final Targets targets;
    private final Lane.Scheduler scheduler;
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
            Lane.Scheduler scheduler,
            long maxWaiting) {
        this.sidecars = sidecars;
        this.threads = threads;
        this.targets = new Targets(state, new Mappings());
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

    @Override
    public Processor create(
            Map<String, Processor.Factory> factories,
            String tag,
            String description,
            Map<String, Object> config) {
        EmbeddingParameters parameters = EmbeddingParameters.read(tag, config);
        try {
            sidecars.get().requireKey(parameters.asking().auth());
        } catch (IllegalArgumentException error) {
            throw newConfigurationException(EmbeddingProcessor.TYPE, tag, "auth", error.getMessage());
        }
        return new EmbeddingProcessor(tag, description, parameters, targets, queue(), threads);
    }

    private synchronized EmbeddingQueue queue() {
        if (queue == null) {
            queue = new EmbeddingQueue(sidecars.get(), scheduler, maxWaiting);
        }
        return queue;
    }
}
