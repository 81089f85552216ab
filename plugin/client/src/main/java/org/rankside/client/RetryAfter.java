package org.rankside.client;

import java.time.Duration;
import java.util.regex.Pattern;

/** The {@code Retry-After} header, read as {@code plugin/ranking/retry_after.py} does. */
final class RetryAfter {
    private static final Pattern SECONDS = Pattern.compile("[0-9]+[.]?[0-9]*|[.][0-9]+");
    private static final double LONGEST = Duration.ofDays(365).toSeconds();

    private RetryAfter() {}

    /** How long the server asks to wait; zero where it does not say, or says it as a date. */
    static Duration of(String header) {
        if (!SECONDS.matcher(header).matches()) {
            return Duration.ZERO;
        }
        return Duration.ofMillis((long) (1000 * Math.min(Double.parseDouble(header), LONGEST)));
    }
}
