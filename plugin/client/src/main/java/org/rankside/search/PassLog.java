package org.rankside.search;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/** Logs why searches are passed through: a line for each reason now and then, not for each search. */
public final class PassLog {
    private static final long PAUSE = Duration.ofSeconds(10).toNanos();
    private static final int REASONS = 64; // some have numbers in them

    private final LongSupplier nanos;
    private final Consumer<String> log;
    private final Map<String, Line> lines = new ConcurrentHashMap<>();

    /** When a reason was logged last, and how often it came since. */
    private record Line(long at, long since) {}

    /**
     * One for a node.
     *
     * @param log the engine's, for warnings
     */
    public PassLog(LongSupplier nanos, Consumer<String> log) {
        this.nanos = nanos;
        this.log = log;
    }

    /** A search was passed through; null or what is no failure is not worth a line. */
    public void passed(PassThrough why) {
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
        log.accept(
                "search passed through: " + why.reason() + " (" + why.getMessage() + "); "
                        + (last == null ? 0 : last.since) + " more like it since the last such line");
        return new Line(now, 0);
    }
}
