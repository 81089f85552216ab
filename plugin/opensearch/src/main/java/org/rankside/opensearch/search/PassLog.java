package org.rankside.opensearch.search;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.apache.logging.log4j.LogManager;
import org.apache.logging.log4j.Logger;

/** Logs why searches are passed through: a line for each reason now and then, not for each search. */
final class PassLog {
    private static final Logger LOG = LogManager.getLogger(PassLog.class);
    private static final long PAUSE = Duration.ofSeconds(10).toNanos();
    private static final int REASONS = 64; // some have numbers in them

    private final LongSupplier nanos;
    private final Map<String, Line> lines = new ConcurrentHashMap<>();

    /** When a reason was logged last, and how often it came since. */
    private record Line(long at, long since) {}

    PassLog(LongSupplier nanos) {
        this.nanos = nanos;
    }

    /** A search was passed through; null or what is no failure is not worth a line. */
    void passed(PassThrough why) {
        if (why == null || !why.failed()) {
            return;
        }
        if (lines.size() > REASONS) {
            lines.clear();
        }
        lines.compute(why.reason(), (reason, line) -> line(why, line));
    }

    private Line line(PassThrough why, Line last) {
        long now = nanos.getAsLong();
        if (last != null && now - last.at < PAUSE) {
            return new Line(last.at, last.since + 1);
        }
        LOG.warn(
                "search passed through: {} ({}); {} more like it since the last such line",
                why.reason(),
                why.getMessage(),
                last == null ? 0 : last.since);
        return new Line(now, 0);
    }
}
