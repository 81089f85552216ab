package org.rankside.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.rankside.search.Shelf.ids;
import static org.rankside.search.Shelf.windowHit;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.rankside.client.RescoreWeights;

class OrderingTest {
    @Test
    void aVectorOrdersByWeightsAndWhatItDoesNotScoreKeepsItsPlaceBelow() {
        List<WindowHit> hits =
                List.of(windowHit("1", 8), windowHit("2", 6), windowHit("3", 4), windowHit("4", 2));
        RescoreWeights weights = new RescoreWeights(0.125f, 1f);
        // 1 + 0.25, 0.75 + 0, 0.5 + 1, 0.25 + 0.5: the last tie keeps first-stage order
        Map<Place, Float> scores = Map.of(place("1"), 0.25f, place("3"), 1f, place("4"), 0.5f);
        assertEquals(List.of("3", "1", "2", "4"), ids(Ordering.ordered(hits, weights, scores)));
    }

    @Test
    void anOrderTakesItsHitsFirstAndLeavesTheOthersAsTheyWere() {
        List<WindowHit> hits =
                List.of(windowHit("1", 8), windowHit("2", 6), windowHit("3", 4), windowHit("4", 2));
        Step.ByOrder step = new Step.ByOrder(List.of(place("3"), place("1")));
        assertEquals(List.of("3", "1", "2", "4"), ids(Ordering.ordered(hits, step)));
        assertEquals(hits, Ordering.ordered(hits, new Step.ByOrder(List.of())));
    }

    @Test
    void theHighestScoreIsNotAlwaysTheFirst() {
        assertEquals(7, Ordering.highest(List.of(windowHit("1", 3), windowHit("2", 7))));
    }

    private static Place place(String id) {
        return new Place("i", id);
    }
}
