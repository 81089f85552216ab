package org.rankside.opensearch.search;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.opensearch.common.lease.Releasable;

class CancellationsTest {
    private final Cancellations cancellations = new Cancellations();
    private final List<String> told = new ArrayList<>();

    @Test
    void whoWorksForATaskIsToldThatItWasCancelled() {
        cancellations.add(1, () -> told.add("one"));
        cancellations.add(2, () -> told.add("two"));
        cancellations.onTaskCancelled(Engine.task(2));
        assertEquals(List.of("two"), told);
    }

    @Test
    void whoIsDoneIsNotTold() {
        cancellations.add(1, () -> told.add("one")).close();
        cancellations.onTaskCancelled(Engine.task(1));
        assertEquals(List.of(), told);
    }

    @Test
    void whoIsDoneTakesNobodyElseWithHim() {
        Releasable first = cancellations.add(1, () -> told.add("first"));
        cancellations.add(1, () -> told.add("second"));
        first.close();
        cancellations.onTaskCancelled(Engine.task(1));
        assertEquals(List.of("second"), told);
    }

    @Test
    void aTaskThatNobodyWorksForIsNothing() {
        cancellations.onTaskCancelled(Engine.task(9));
        assertEquals(List.of(), told);
    }
}
