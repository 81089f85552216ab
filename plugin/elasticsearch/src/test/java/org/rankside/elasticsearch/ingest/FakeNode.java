package org.rankside.elasticsearch.ingest;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.elasticsearch.cluster.ClusterName;
import org.elasticsearch.cluster.ClusterState;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.cluster.metadata.ProjectId;
import org.elasticsearch.cluster.metadata.ProjectMetadata;
import org.elasticsearch.common.settings.KeyStoreWrapper;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.elasticsearch.env.Environment;
import org.elasticsearch.index.IndexVersion;
import org.elasticsearch.index.VersionType;
import org.elasticsearch.ingest.IngestDocument;
import org.elasticsearch.ingest.Processor;
import org.rankside.elasticsearch.ElasticsearchJson;
import org.rankside.elasticsearch.node.NodeSettings;
import org.rankside.elasticsearch.node.NodeSidecar;

/** What of a node the processor meets: its threads, its cluster state, its way to the sidecar. */
final class FakeNode implements AutoCloseable {
    static final String MAPPING =
            "{\"_meta\": {\"rankside\": {\"fingerprint\": \"f00d\", \"model\": \"m\", \"revision\": \"r\","
                    + " \"dimensions\": 3, \"vector_field\": \"v\", \"hash_field\": \"h\","
                    + " \"text_fields\": [\"title\", \"text\"]}}, \"properties\": {"
                    + "\"v\": {\"type\": \"dense_vector\", \"dims\": 3},"
                    + "\"o\": {\"properties\": {\"v\": {\"type\": \"dense_vector\", \"dims\": 3}}}}}";

    final ScheduledExecutorService threads = Executors.newScheduledThreadPool(4);
    final ThreadContext context = new ThreadContext(Settings.EMPTY);
    private volatile ProjectMetadata project = ProjectMetadata.builder(ProjectId.DEFAULT).build();
    private final NodeSidecar sidecar;
    private final EmbeddingFactory factory;

    /** What became of a document. */
    record Outcome(IngestDocument document, Exception error) {}

    /**
     * @param settings names and values in turn
     */
    FakeNode(Path home, long maxWaiting, String... settings) throws Exception {
        KeyStoreWrapper keystore = KeyStoreWrapper.create();
        keystore.setString("rankside.sidecar.api_key", "secret".toCharArray());
        Settings.Builder builder = Settings.builder().put("path.home", home).setSecureSettings(keystore);
        for (int at = 0; at < settings.length; at += 2) {
            builder.put(settings[at], settings[at + 1]);
        }
        sidecar = NodeSettings.sidecar(new Environment(builder.build(), home), threads);
        factory =
                new EmbeddingFactory(
                        () -> sidecar,
                        context,
                        () ->
                                ClusterState.builder(new ClusterName("test"))
                                        .putProjectMetadata(project)
                                        .build(),
                        (delay, work) ->
                                threads.schedule(
                                        work, EmbeddingFactory.millis(delay), TimeUnit.MILLISECONDS),
                        maxWaiting);
    }

    /** Changes the cluster state. */
    void change(UnaryOperator<ProjectMetadata.Builder> how) {
        project = how.apply(ProjectMetadata.builder(project)).build();
    }

    /** Adds an index with a mapping. */
    void index(String name, String mapping) {
        index(name, mapping, index -> index);
    }

    /** Adds an index with a mapping, or puts it in the place of the one of its name. */
    void index(String name, String mapping, UnaryOperator<IndexMetadata.Builder> more) {
        Settings settings =
                Settings.builder()
                        .put(IndexMetadata.SETTING_VERSION_CREATED, IndexVersion.current())
                        .put(IndexMetadata.SETTING_NUMBER_OF_SHARDS, 1)
                        .put(IndexMetadata.SETTING_NUMBER_OF_REPLICAS, 0)
                        .put(IndexMetadata.SETTING_INDEX_UUID, name + "-uuid")
                        .build();
        IndexMetadata.Builder index = IndexMetadata.builder(name).settings(settings).putMapping(mapping);
        IndexMetadata made = more.apply(index).build();
        change(builder -> builder.put(made, false));
    }

    /** A processor of this configuration; {@code '} stands for a quote. */
    Processor processor(String config) {
        try {
            byte[] json = config.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
            Map<String, Object> parameters = new HashMap<>(new ElasticsearchJson().read(json));
            Processor made = factory.create(Map.of(), "tag", null, parameters, ProjectId.DEFAULT);
            if (!parameters.isEmpty()) {
                throw new IllegalArgumentException("left: " + parameters);
            }
            return made;
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
    }

    /** A document for an index; names and values in turn. */
    static IngestDocument document(String index, Object... fields) {
        Map<String, Object> source = new HashMap<>();
        for (int at = 0; at < fields.length; at += 2) {
            source.put((String) fields[at], fields[at + 1]);
        }
        return new IngestDocument(index, "id", 1, null, VersionType.INTERNAL, source);
    }

    /** Documents of an index with these texts. */
    static IngestDocument[] documents(String index, String... texts) {
        return Arrays.stream(texts)
                .map(text -> document(index, "text", text))
                .toArray(IngestDocument[]::new);
    }

    /** What becomes of documents that are handed over one after the other, in their order. */
    static List<Outcome> run(Processor processor, IngestDocument... documents) {
        List<CompletableFuture<Outcome>> all = start(processor, documents);
        return all.stream().map(one -> one.orTimeout(30, TimeUnit.SECONDS).join()).toList();
    }

    /** As the engine does with the documents of a bulk request: it waits for none. */
    static List<CompletableFuture<Outcome>> start(Processor processor, IngestDocument... documents) {
        List<CompletableFuture<Outcome>> all = new ArrayList<>();
        for (IngestDocument document : documents) {
            CompletableFuture<Outcome> one = new CompletableFuture<>();
            processor.execute(
                    document,
                    (result, error) -> {
                        if (!one.complete(new Outcome(result, error))) {
                            throw new IllegalStateException("told twice");
                        }
                    });
            all.add(one);
        }
        return all;
    }

    @Override
    public void close() {
        sidecar.sidecars().close();
        threads.shutdownNow();
    }
}
