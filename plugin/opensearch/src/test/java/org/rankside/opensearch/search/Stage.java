package org.rankside.opensearch.search;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.opensearch.action.search.SearchRequest;
import org.opensearch.common.settings.Settings;
import org.opensearch.core.tasks.TaskId;
import org.opensearch.env.Environment;
import org.opensearch.index.query.MatchQueryBuilder;
import org.opensearch.search.builder.SearchSourceBuilder;
import org.rankside.client.Fake;
import org.rankside.opensearch.node.Sidecars;

/** A search for {@code water}, six documents that it finds, and a sidecar: all that ranking needs. */
final class Stage implements AutoCloseable {
    static final Target TARGET =
            new Target(List.of(Shelf.TEXT), Shelf.VECTOR, 2, "f", Shelf.HASH, List.of());

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
        sidecars = new Sidecars(new Environment(settings, home), engine.threads);
        try {
            fake = script.start();
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
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
        String url = "{'url': '" + fake.address() + "', 'timeout': '20s'";
        String more = parameters.isEmpty() ? "" : ", " + parameters;
        Parameters read = Parameters.ofPipeline(Cases.object(url + more + "}"));
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
