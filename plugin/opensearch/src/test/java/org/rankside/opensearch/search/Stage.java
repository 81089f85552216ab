package org.rankside.opensearch.search;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.opensearch.action.search.SearchRequest;
import org.opensearch.cluster.metadata.IndexNameExpressionResolver;
import org.opensearch.common.settings.Settings;
import org.opensearch.core.common.io.stream.NamedWriteableRegistry;
import org.opensearch.core.tasks.TaskId;
import org.opensearch.env.Environment;
import org.opensearch.index.query.MatchQueryBuilder;
import org.opensearch.search.builder.SearchSourceBuilder;
import org.rankside.client.Fake;
import org.rankside.client.Sidecars;
import org.rankside.opensearch.node.NodeSettings;

/** A search for {@code water}, six documents that it finds, and a sidecar: all that ranking needs. */
final class Stage implements AutoCloseable {
    static final Target TARGET =
            new Target(List.of(Shelf.TEXT), Shelf.VECTOR, 2, "f", Shelf.HASH, List.of());

    private static final String MAPPING =
            "{'_meta': {'rankside': {'fingerprint': 'f', 'model': 'm', 'dimensions': 2,"
                    + " 'vector_field': 'v', 'hash_field': 'h', 'text_fields': ['text']}}, 'properties':"
                    + " {'v': {'type': 'knn_vector', 'dimension': 2}, 'h': {'type': 'keyword'}}}";

    final Engine engine = new Engine();
    final Shelf shelf = new Shelf(6);
    final Script script = new Script();
    final Timings timings = new Timings();
    Target target = TARGET;
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

    /** What asks the sidecar, by a pipeline's parameters in JSON without the address. */
    Asking asking(String parameters) {
        Parts parts = parts(parameters);
        return new Asking(parts.judge, parts.windows, timings);
    }

    Judge judge(String parameters) {
        return parts(parameters).judge;
    }

    /** The judgement on the first stage's first hits. */
    Judgement judged(String parameters) {
        return asking(parameters).aboutWindow(false).join();
    }

    /** Why there is none. */
    Throwable refusal(String parameters) {
        return failure(asking(parameters).aboutWindow(false));
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

    private record Parts(Judge judge, WindowSearch windows) {}

    private Parts parts(String parameters) {
        Parameters read = parameters(parameters);
        Deadline deadline = new Deadline(System.nanoTime() + Duration.ofSeconds(20).toNanos());
        SearchRequest user =
                new SearchRequest("i")
                        .source(new SearchSourceBuilder().query(new MatchQueryBuilder("text", "water")));
        Searches searches = new Searches(engine.client, engine.threads, new TaskId("node", 7));
        WindowSearch windows = new WindowSearch(searches, user, target, deadline);
        Work work = new Work(engine.threads, new Cancellations());
        Sidecar sidecar = new Sidecar(sidecars, work, read, deadline);
        return new Parts(new Judge(read, target, "water", sidecar, windows), windows);
    }

    @Override
    public void close() {
        fake.close();
        sidecars.close();
        engine.close();
    }
}
