package org.rankside.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.rankside.client.Reason;
import org.rankside.client.SidecarException;

class FailuresTest {
    @Test
    void whatIsKnownIsHandedOnAsItIs() {
        PassThrough known = new PassThrough("no_hits");
        assertSame(known, Failures.of(wrapped(known)));
    }

    @Test
    void theSidecarsReasonAndSentenceAreTheUsers() {
        PassThrough passed =
                Failures.of(wrapped(new SidecarException(Reason.OVERLOADED, "wait a little")));
        assertEquals("overloaded", passed.reason());
        assertEquals("wait a little", passed.getMessage());
        assertTrue(passed.failed());
    }

    @Test
    void aCancelledFutureIsACancelledSearch() {
        assertTrue(Failures.cancelled(Failures.of(wrapped(new CancellationException()))));
        assertTrue(
                Failures.cancelled(
                        Failures.of(new SidecarException(Reason.CANCELLED, "cancelled"))));
        assertFalse(Failures.cancelled(Failures.late()));
    }

    @Test
    void anythingElseIsTheEngines() {
        PassThrough passed = Failures.of(wrapped(new IllegalStateException("no such index [books]")));
        assertEquals("engine_rejected", passed.reason());
        assertEquals(
                "a search beside the user's own failed: no such index [books]", passed.getMessage());
    }

    @Test
    void aWrapperWithoutACauseIsItsOwnCause() {
        CompletionException empty = new CompletionException("odd", null);
        assertSame(empty, Failures.cause(empty));
    }

    private static Throwable wrapped(Throwable error) {
        return new CompletionException(new CompletionException(error));
    }
}
