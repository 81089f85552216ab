package org.rankside.client;

import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * Keeps calls from an address that fails.
 *
 * <p>Closed until {@code failures} calls in a row have failed; then open for a while, in which
 * nothing is let through; then half-open: one call is let through as a probe, and its outcome closes
 * the circuit or opens it again, for twice as long each time up to {@code longest}. Safe for
 * concurrent use.
 */
final class CircuitBreaker {
    enum State { CLOSED, OPEN, HALF_OPEN }

    private final int failures;
    private final long shortest;
    private final long longest;
    private final LongSupplier nanos;

    private State state = State.CLOSED;
    private int inARow;
    private long openFor;
    private long until;

    CircuitBreaker(int failures, Duration shortest, Duration longest, LongSupplier nanos) {
        this.failures = failures;
        this.shortest = shortest.toNanos();
        this.longest = Math.max(longest.toNanos(), this.shortest);
        this.nanos = nanos;
    }

    /** Whether a call may be made now; each true is to be answered by one of the three below. */
    synchronized boolean tryPass() {
        boolean passes = mayPass();
        if (state == State.OPEN && passes) {
            state = State.HALF_OPEN;
        }
        return passes;
    }

    /** Whether a call could be made now; the probe's place is still free after it. */
    synchronized boolean mayPass() {
        return state == State.CLOSED || (state == State.OPEN && nanos.getAsLong() - until >= 0);
    }

    synchronized void succeeded() {
        state = State.CLOSED;
        inARow = 0;
        openFor = 0;
    }

    synchronized void failed() {
        inARow++;
        if (state == State.HALF_OPEN || (state == State.CLOSED && inARow >= failures)) {
            open();
        }
    }

    /** The call said nothing about the address: it was cancelled, or another took its place. */
    synchronized void abandoned() {
        if (state == State.HALF_OPEN) {
            state = State.OPEN; // whose time is over: the next call is the probe
        }
    }

    synchronized State state() {
        return state;
    }

    private void open() {
        openFor = openFor == 0 ? shortest : Math.min(openFor * 2, longest);
        until = nanos.getAsLong() + openFor;
        state = State.OPEN;
    }
}
