package org.rankside.opensearch.ingest;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.opensearch.Version;
import org.opensearch.cluster.ClusterName;
import org.opensearch.cluster.ClusterState;
import org.opensearch.cluster.metadata.IndexMetadata;
import org.opensearch.cluster.metadata.Metadata;
import org.opensearch.common.settings.Settings;
import org.opensearch.common.unit.TimeValue;
import org.opensearch.common.util.concurrent.ThreadContext;
import org.opensearch.env.Environment;
import org.opensearch.ingest.IngestDocument;
import org.opensearch.ingest.IngestDocumentWrapper;
import org.opensearch.ingest.Processor;
import org.opensearch.threadpool.ThreadPool;
import org.rankside.client.Sidecars;
import org.rankside.opensearch.OpenSearchJson;
import org.rankside.opensearch.node.NodeSettings;

/** What of a node the processor meets: its threads, its cluster state, its way to the sidecar. */
final class FakeNode implements AutoCloseable {
    static final String MAPPING =
            "{\"_meta\": {\"rankside\": {\"fingerprint\": \"f00d\", \"model\": \"m\", \"revision\": \"r\","
                    + " \"dimensions\": 3, \"vector_field\": \"v\", \"hash_field\": \"h\","
                    + " \"text_fields\": [\"title\", \"text\"]}}, \"properties\": {"
                    + "\"v\": {\"type\": \"knn_vector\", \"dimension\": 3},"
                    + "\"o\": {\"properties\": {\"v\": {\"type\": \"knn_vector\", \"dimension\": 3}}}}}";

    final ThreadPool threads = new ThreadPool(Settings.builder().put("node.name", "test").build());
    final Metadata.Builder metadata = Metadata.builder();
    private final Sidecars sidecars;
    private final EmbeddingFactory factory;

    FakeNode(Path home, long maxWaiting, String... settings) {
        Settings.Builder builder = Settings.builder().put("path.home", home);
        builder.setSecureSettings(new Keystore(Map.of("rankside.auth.main.key", "secret")));
        for (int at = 0; at < settings.length; at += 2) {
            builder.put(settings[at], settings[at + 1]);
        }
        sidecars = NodeSettings.sidecars(new Environment(builder.build(), home), threads.generic());
        factory =
                new EmbeddingFactory(
                        () -> sidecars,
                        threads.getThreadContext(),
                        () -> ClusterState.builder(new ClusterName("test")).metadata(metadata).build(),
                        (delay, work) ->
                                threads.schedule(
                                        work,
                                        TimeValue.timeValueMillis(delay.toMillis()),
                                        ThreadPool.Names.GENERIC),
                        maxWaiting);
    }

    /** Adds an index with a mapping. */
    IndexMetadata.Builder index(String name, String mapping) {
        Settings settings =
                Settings.builder()
                        .put(IndexMetadata.SETTING_VERSION_CREATED, Version.CURRENT)
                        .put(IndexMetadata.SETTING_NUMBER_OF_SHARDS, 1)
                        .put(IndexMetadata.SETTING_NUMBER_OF_REPLICAS, 0)
                        .put(IndexMetadata.SETTING_INDEX_UUID, name + "-uuid")
                        .build();
        try {
            IndexMetadata.Builder index = IndexMetadata.builder(name).settings(settings).putMapping(mapping);
            metadata.put(index);
            return index;
        } catch (Exception error) {
            throw new IllegalStateException(error);
        }
    }

    /** A processor of this configuration; {@code '} stands for a quote. */
    Processor processor(String config) {
        try {
            byte[] json = config.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
            Map<String, Object> parameters = new HashMap<>(new OpenSearchJson().read(json));
            Processor made = factory.create(Map.of(), "tag", null, parameters);
            if (!parameters.isEmpty()) {
                throw new IllegalArgumentException("left: " + parameters);
            }
            return made;
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
    }

    ThreadContext context() {
        return threads.getThreadContext();
    }

    /** A document for an index; names and values in turn. */
    static IngestDocument document(String index, Object... fields) {
        Map<String, Object> source = new HashMap<>();
        for (int at = 0; at < fields.length; at += 2) {
            source.put((String) fields[at], fields[at + 1]);
        }
        return new IngestDocument(index, "id", null, null, null, source);
    }

    /** What becomes of documents that the engine hands over together, in their order. */
    static List<IngestDocumentWrapper> run(Processor processor, IngestDocument... documents) {
        try {
            return start(processor, documents).get(30, TimeUnit.SECONDS);
        } catch (Exception error) {
            throw new IllegalStateException(error);
        }
    }

    static CompletableFuture<List<IngestDocumentWrapper>> start(
            Processor processor, IngestDocument... documents) {
        List<IngestDocumentWrapper> slice = new ArrayList<>();
        for (IngestDocument document : documents) {
            slice.add(new IngestDocumentWrapper(slice.size() + 5, 0, document, null));
        }
        List<IngestDocumentWrapper> seen = new ArrayList<>();
        CompletableFuture<List<IngestDocumentWrapper>> done = new CompletableFuture<>();
        processor.batchExecute(
                slice,
                results -> {
                    synchronized (seen) {
                        seen.addAll(results);
                        if (seen.size() == slice.size()) {
                            seen.sort(Comparator.comparingInt(IngestDocumentWrapper::getSlot));
                            done.complete(seen);
                        }
                    }
                });
        return done;
    }

    @Override
    public void close() {
        sidecars.close();
        ThreadPool.terminate(threads, 10, TimeUnit.SECONDS);
    }
}
