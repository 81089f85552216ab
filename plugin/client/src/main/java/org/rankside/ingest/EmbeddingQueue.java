package org.rankside.ingest;

import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import org.rankside.client.Embeddings;
import org.rankside.client.Json;
import org.rankside.client.Models;
import org.rankside.client.Reason;
import org.rankside.client.SidecarException;
import org.rankside.client.Sidecars;

/** A node's texts that wait for their vectors, up to a limit of their bytes. */
public final class EmbeddingQueue {
    private final Sidecars sidecars;
    private final Scheduler scheduler;
    private final Log log;
    private final long mostBytes;
    private final AtomicLong bytes = new AtomicLong();
    private final Map<List<URI>, Lane> lanes = new ConcurrentHashMap<>();

    /**
     * @param mostBytes of texts that wait; a text beyond is refused
     */
    public EmbeddingQueue(Sidecars sidecars, Scheduler scheduler, Log log, long mostBytes) {
        this.sidecars = sidecars;
        this.scheduler = scheduler;
        this.log = log;
        this.mostBytes = mostBytes;
    }

    /** Has vectors made; each job's future fails with what a client is to be told. */
    void embed(Asking asking, List<Batch.Job> jobs) {
        List<Batch.Job> taken = new ArrayList<>(jobs.size());
        for (Batch.Job job : jobs) {
            if (bytes.get() >= mostBytes) {
                job.vector().completeExceptionally(Failures.full(mostBytes));
                continue;
            }
            bytes.addAndGet(job.bytes());
            job.vector().whenComplete((vector, error) -> bytes.addAndGet(-job.bytes()));
            taken.add(job);
        }
        lanes.computeIfAbsent(asking.addresses(), any -> lane()).offer(taken);
    }

    /** The card of the encoder that is there now; fails as {@link #embed} does. */
    CompletableFuture<Models.Card> encoder(Asking asking) {
        return sidecars.encoder(asking.addresses(), asking.auth(), asking.timeout())
                .exceptionallyCompose(
                        error -> CompletableFuture.failedFuture(Failures.of((SidecarException) error, "")));
    }

    private Lane lane() {
        Patience patience =
                new Patience(System::nanoTime, () -> ThreadLocalRandom.current().nextDouble());
        return new Lane(this::send, scheduler, log, patience, System::nanoTime);
    }

    private void send(Batch batch, BiConsumer<Embeddings.Answer, SidecarException> answered) {
        Json json = sidecars.json();
        Asking asking = batch.asking();
        Embeddings.Call call = new Embeddings.Call(batch.texts(), batch.fingerprint());
        byte[] body;
        try {
            body = json.write(call.written());
        } catch (IOException | RuntimeException error) {
            String why = "the texts cannot be written as JSON (" + error.getMessage() + ")";
            answered.accept(null, new SidecarException(Reason.SIDECAR_REJECTED, why, error));
            return;
        }
        sidecars.sendDocuments(
                        asking.addresses(),
                        asking.auth(),
                        Embeddings.PATH,
                        body,
                        asking.timeout(),
                        bytes -> Embeddings.Answer.read(json.read(bytes), call))
                .whenComplete(
                        (answer, error) -> {
                            SidecarException failure = (SidecarException) error;
                            if (failure != null && Failures.isOtherModel(failure)) {
                                sidecars.forget(asking.addresses());
                            }
                            answered.accept(answer, failure);
                        });
    }
}
