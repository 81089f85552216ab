package org.rankside.ingest;

import java.time.Duration;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;
import org.rankside.client.Reason;
import org.rankside.client.SidecarException;

/**
 * When a call that was refused for now is made again: after growing pauses, until the sidecar has
 * answered none for as long as patience lasts.
 *
 * <p>Shared by all calls of a lane, so that thousands of documents do not wait for as long each. Not
 * safe for concurrent use.
 */
final class Patience {
    private static final long FIRST = Duration.ofMillis(250).toNanos();
    private static final long LONGEST = Duration.ofSeconds(15).toNanos();

    private final LongSupplier nanos;
    private final DoubleSupplier random;
    private boolean waits;
    private long since;

    /**
     * @param random from 0 to 1
     */
    Patience(LongSupplier nanos, DoubleSupplier random) {
        this.nanos = nanos;
        this.random = random;
    }

    /** A call was answered, or nothing waits for one any more. */
    void renew() {
        waits = false;
    }

    /**
     * How long to wait before {@code batch} is sent again; null where it is not to be.
     *
     * <p>Only 429 and 503 are tried again. A circuit that opens on the way was opened by them.
     */
    Duration pause(Batch batch, SidecarException error) {
        boolean opened = batch.tries() > 0 && error.reason() == Reason.CIRCUIT_OPEN;
        if (error.retryAfter() == null && !opened) {
            return null;
        }
        long now = nanos.getAsLong();
        if (!waits) {
            waits = true;
            since = now;
        }
        long left = batch.asking().retryFor().toNanos() - (now - since);
        long asked = opened ? 0 : error.retryAfter().toNanos();
        if (left <= 0 || asked > left) {
            return null;
        }
        return Duration.ofNanos(Math.max(asked, Math.min(left, grown(batch.tries()))));
    }

    /** Half to all of it: many that were refused together must not come back together. */
    private long grown(int tries) {
        long whole = Math.min(LONGEST, FIRST << Math.min(tries, 10));
        return (long) (whole * (0.5 + random.getAsDouble() / 2));
    }
}
