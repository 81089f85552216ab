package org.rankside.opensearch.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.opensearch.common.util.concurrent.ThreadContext;

@Timeout(30)
class WorkTest {
    private static final long TASK = 7;
    private final Engine engine = new Engine();
    private final Cancellations cancellations = new Cancellations();
    private final Work work = new Work(engine.threads, cancellations);
    private final CompletableFuture<String> call = new CompletableFuture<>();

    @AfterEach
    void close() {
        engine.close();
    }

    @Test
    void itIsDoneWhenItsLastCallIs() {
        CompletableFuture<String> whole = work.until(work.call(call), in(20_000), TASK);
        assertFalse(whole.isDone());
        call.complete("answer");
        assertEquals("answer", whole.join());
    }

    @Test
    void itFailsAsItsCallsDo() {
        CompletableFuture<String> whole = work.until(work.call(call), in(20_000), TASK);
        PassThrough error = new PassThrough("no_hits");
        call.completeExceptionally(error);
        assertEquals(error, failure(whole));
    }

    @Test
    void itEndsWhenTheTimeIsOverWhateverItsCallsDo() {
        CompletableFuture<String> whole = work.until(work.call(call), in(50), TASK);
        assertEquals("deadline", ((PassThrough) failure(whole)).reason());
        assertTrue(call.isCancelled());
    }

    @Test
    void timeThatIsOverAlreadyIsNoError() {
        CompletableFuture<String> whole = work.until(work.call(call), in(-5000), TASK);
        assertEquals("deadline", ((PassThrough) failure(whole)).reason());
    }

    @Test
    void aCancelledSearchCancelsItsCalls() {
        CompletableFuture<String> other = new CompletableFuture<>();
        work.call(other);
        CompletableFuture<String> whole = work.until(work.call(call), in(20_000), TASK);
        cancellations.onTaskCancelled(Engine.task(8));
        assertFalse(whole.isDone());
        cancellations.onTaskCancelled(Engine.task(TASK));
        assertTrue(Failures.cancelled((PassThrough) failure(whole)));
        assertTrue(call.isCancelled());
        assertTrue(other.isCancelled());
    }

    @Test
    void aCallMadeWhileTheWorkEndsIsNotLeftAlone() {
        work.until(new CompletableFuture<String>(), in(20_000), TASK);
        cancellations.onTaskCancelled(Engine.task(TASK));
        work.call(call);
        assertTrue(call.isCancelled());
    }

    @Test
    void afterItsEndACancellationIsNoneOfItsBusiness() {
        CompletableFuture<String> whole = work.until(work.call(call), in(20_000), TASK);
        call.complete("answer");
        cancellations.onTaskCancelled(Engine.task(TASK));
        assertEquals("answer", whole.join());
    }

    @Test
    @SuppressWarnings("try") // a context is there to be closed, not to be read
    void whatComesAfterItHasTheSearchsThreadContext() {
        ThreadContext context = engine.threads.getThreadContext();
        CompletableFuture<String> user;
        try (ThreadContext.StoredContext search = context.newStoredContext(false)) {
            context.putTransient("user", "anna");
            user =
                    work.until(new CompletableFuture<String>(), in(20), TASK)
                            .handle((done, late) -> context.getTransient("user"));
        }
        assertEquals("anna", user.join());
    }

    private static Deadline in(long millis) {
        return new Deadline(System.nanoTime() + Duration.ofMillis(millis).toNanos());
    }

    private static Throwable failure(CompletableFuture<?> whole) {
        return assertThrows(CompletionException.class, whole::join).getCause();
    }
}
