package org.rankside.opensearch.search;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.opensearch.cluster.metadata.IndexNameExpressionResolver;
import org.opensearch.common.settings.Settings;
import org.opensearch.core.common.io.stream.NamedWriteableRegistry;
import org.opensearch.env.Environment;
import org.rankside.client.Fake;
import org.rankside.client.Sidecars;
import org.rankside.opensearch.OpenSearchJson;
import org.rankside.opensearch.node.NodeSettings;
import org.rankside.search.Failures;
import org.rankside.search.Parameters;
import org.rankside.search.Script;

/** A search for {@code water}, six documents that it finds, and a sidecar: all that ranking needs. */
final class Stage implements AutoCloseable {
    private static final String MAPPING =
            "{'_meta': {'rankside': {'fingerprint': 'f', 'model': 'm', 'dimensions': 2,"
                    + " 'vector_field': 'v', 'hash_field': 'h', 'text_fields': ['text']}}, 'properties':"
                    + " {'v': {'type': 'knn_vector', 'dimension': 2}, 'h': {'type': 'keyword'}}}";

    final Engine engine = new Engine();
    final Shelf shelf = new Shelf(6);
    final Script script = new Script(new OpenSearchJson());
    private final Fake fake;
    private final Sidecars sidecars;

    Stage(Path home) {
        engine.answer = shelf;
        Settings settings = Settings.builder().put("path.home", home).build();
        sidecars = NodeSettings.sidecars(new Environment(settings, home), engine.threads.generic());
        try {
            fake = script.start();
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
    }

    /** A pipeline's parameters, in JSON without the address. */
    Parameters parameters(String more) {
        String url = "{'url': '" + fake.address() + "', 'timeout': '20s'";
        return Parameters.ofPipeline(Cases.object(url + (more.isEmpty() ? "}" : ", " + more + "}")));
    }

    /** What makes all of it for a search, in a cluster with the index {@code i}. */
    AskingFactory askings() {
        Cluster cluster = new Cluster(engine.threads);
        cluster.has(Indices.index("i", Cases.object(MAPPING)));
        IndexCatalogue catalogue =
                new IndexCatalogue(
                        cluster,
                        new IndexNameExpressionResolver(engine.threads.getThreadContext()),
                        new NamedWriteableRegistry(List.of()));
        return new AskingFactory(
                engine.client, cluster, engine.threads, sidecars, catalogue, new Cancellations());
    }

    /** What the sidecar was asked, as {@code POST /v1/listwise}. */
    List<String> asked() {
        return fake.asked;
    }

    static Throwable failure(CompletableFuture<?> failed) {
        try {
            throw new AssertionError("it has not failed but brought " + failed.join());
        } catch (CompletionException error) {
            return Failures.cause(error);
        }
    }

    @Override
    public void close() {
        fake.close();
        sidecars.close();
        engine.close();
    }
}
