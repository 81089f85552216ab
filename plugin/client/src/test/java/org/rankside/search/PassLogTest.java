package org.rankside.search;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PassLogTest {
    private final List<String> lines = new ArrayList<>();
    private long now;
    private final PassLog log = new PassLog(() -> now, lines::add);

    @Test
    void aReasonIsLoggedOnceAndThenNowAndThenWithHowOftenItCame() {
        passedAfter(0, "deadline", "too slow");
        passedAfter(4, "deadline", "too slow");
        passedAfter(4, "deadline", "too slow");
        passedAfter(4, "deadline", "slower");
        assertEquals(
                List.of(
                        "search passed through: deadline (too slow);"
                                + " 0 more like it since the last such line",
                        "search passed through: deadline (slower);"
                                + " 2 more like it since the last such line"),
                lines);
    }

    @Test
    void eachReasonHasLinesOfItsOwn() {
        passedAfter(0, "deadline", "too slow");
        passedAfter(1, "overloaded", "too much");
        assertEquals(2, lines.size());
    }

    @Test
    void whatIsNoFailureIsNotLogged() {
        log.passed(null);
        log.passed(new PassThrough("no_hits"));
        assertEquals(List.of(), lines);
    }

    @Test
    void reasonsWithNumbersInThemDoNotPileUp() {
        for (int shards = 0; shards < 1000; shards++) {
            passedAfter(0, "rescore_failed_on_shards:" + shards, "it failed");
        }
        assertEquals(1000, lines.size());
        passedAfter(1, "rescore_failed_on_shards:0", "it failed");
        assertEquals(1001, lines.size()); // forgotten by now
    }

    private void passedAfter(int seconds, String reason, String detail) {
        now += Duration.ofSeconds(seconds).toNanos();
        log.passed(new PassThrough(reason, detail));
    }
}
