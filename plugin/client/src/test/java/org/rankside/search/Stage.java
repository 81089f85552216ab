package org.rankside.search;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.rankside.client.Cases;
import org.rankside.client.Fake;
import org.rankside.client.SidecarSettings;
import org.rankside.client.Sidecars;

/** A search for {@code water}, six documents that it finds, and a sidecar: all that ranking needs. */
final class Stage implements AutoCloseable {
    static final Target TARGET = new Target(List.of("text"), "v", 2, "f", "h", List.of());

    final Shelf shelf = new Shelf(6);
    final Script script = new Script(Cases.json());
    final Timings timings = new Timings();
    Target target = TARGET;
    private final ExecutorService completions = Executors.newSingleThreadExecutor();
    private final Fake fake;
    private final Sidecars sidecars =
            new Sidecars(SidecarSettings.DEFAULTS, Cases.json(), completions, Map.of(), "a tool");

    Stage() {
        try {
            fake = script.start();
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
    }

    /** What asks the sidecar, by a pipeline's parameters in JSON without the address. */
    Asking asking(String parameters) {
        return new Asking(judge(parameters), shelf, timings);
    }

    Judge judge(String parameters) {
        String url = "{'url': '" + fake.address() + "', 'timeout': '20s'";
        Parameters read =
                Parameters.ofPipeline(
                        Cases.object(url + (parameters.isEmpty() ? "}" : ", " + parameters + "}")));
        Deadline deadline = Deadline.in(Duration.ofSeconds(20));
        Work work = new Work(new Alone());
        shelf.hashed = target.hashField() != null;
        return new Judge(read, target, "water", shelf, sidecars, work, deadline);
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

    @Override
    public void close() {
        fake.close();
        sidecars.close();
        completions.shutdownNow();
    }
}
