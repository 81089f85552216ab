package org.rankside.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class WorkTest {
    private final Alone search = new Alone();
    private final Work work = new Work(search);
    private final CompletableFuture<String> call = new CompletableFuture<>();

    @Test
    void itIsDoneWhenItsLastCallIs() {
        CompletableFuture<String> whole = work.until(work.call(call), in(20_000));
        assertFalse(whole.isDone());
        call.complete("answer");
        assertEquals("answer", whole.join());
    }

    @Test
    void itFailsAsItsCallsDo() {
        CompletableFuture<String> whole = work.until(work.call(call), in(20_000));
        PassThrough error = new PassThrough("no_hits");
        call.completeExceptionally(error);
        assertEquals(error, failure(whole));
    }

    @Test
    void itEndsWhenTheTimeIsOverWhateverItsCallsDo() {
        CompletableFuture<String> whole = work.until(work.call(call), in(50));
        assertEquals("deadline", ((PassThrough) failure(whole)).reason());
        assertTrue(call.isCancelled());
    }

    @Test
    void timeThatIsOverAlreadyIsNoError() {
        CompletableFuture<String> whole = work.until(work.call(call), in(-5000));
        assertEquals("deadline", ((PassThrough) failure(whole)).reason());
    }

    @Test
    void aCancelledSearchCancelsItsCalls() {
        CompletableFuture<String> other = new CompletableFuture<>();
        work.call(other);
        CompletableFuture<String> whole = work.until(work.call(call), in(20_000));
        assertFalse(whole.isDone());
        search.cancel();
        assertTrue(Failures.cancelled((PassThrough) failure(whole)));
        assertTrue(call.isCancelled());
        assertTrue(other.isCancelled());
    }

    @Test
    void aCallMadeWhileTheWorkEndsIsNotLeftAlone() {
        work.until(new CompletableFuture<String>(), in(20_000));
        search.cancel();
        work.call(call);
        assertTrue(call.isCancelled());
    }

    @Test
    void afterItsEndACancellationIsNoneOfItsBusiness() {
        CompletableFuture<String> whole = work.until(work.call(call), in(20_000));
        call.complete("answer");
        search.cancel();
        assertEquals("answer", whole.join());
    }

    private static Deadline in(long millis) {
        return new Deadline(System.nanoTime() + Duration.ofMillis(millis).toNanos());
    }

    private static Throwable failure(CompletableFuture<?> whole) {
        return assertThrows(CompletionException.class, whole::join).getCause();
    }
}
