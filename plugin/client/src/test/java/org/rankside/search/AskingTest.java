package org.rankside.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.rankside.search.Shelf.ids;
import static org.rankside.search.Shelf.place;
import static org.rankside.search.Shelf.windowHit;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.rankside.client.Cases;
import org.rankside.client.Reason;
import org.rankside.client.SidecarException;
import org.rankside.client.Vectors;

/** Where the engine cannot rescore: hits that it found already are read and put in order. */
@Timeout(60)
class AskingTest {
    /** Scores of a response are the user's, normalized or grouped, and not the window search's. */
    private static final List<WindowHit> FOUND =
            IntStream.rangeClosed(1, 6).mapToObj(at -> windowHit("" + at, 1f / at)).toList();

    private Stage stage;

    @BeforeEach
    void set() {
        stage = new Stage();
        for (int number = 1; number <= 6; number++) {
            stage.shelf.byVector.put(place(number), number * 2f);
        }
    }

    @AfterEach
    void close() {
        stage.close();
    }

    @Test
    void hitsAreReadByWhereTheyAreAndKeepTheirScores() {
        stage.asking("").aboutHits(FOUND).join();
        assertEquals(
                Cases.objectsAt(
                        Cases.object(
                                "{'hits': [{'id': 'i/1', 'score': 1.0, 'text': 'text 1'},"
                                        + "{'id': 'i/2', 'score': 0.5, 'text': 'text 2'},"
                                        + "{'id': 'i/3', 'score': 0.33333334, 'text': 'text 3'}]}"),
                        "hits"),
                stage.script.listwiseCalls.getLast().get("hits"));
        assertEquals(2, stage.shelf.asked.size());
        assertEquals(List.of(place(1), place(2), place(3)), stage.shelf.asked.get(0).places());
        assertEquals(6, stage.shelf.asked.get(1).size());
    }

    @Test
    void allOfThemArePutInTheOrderOfTheJudgement() {
        Asking.Ordered ordered = stage.asking("").aboutHits(FOUND).join();
        assertEquals(List.of("6", "5", "4", "3", "2", "1"), ids(ordered.hits()));
        assertEquals(List.of("1", "2", "3", "4", "5", "6"), ids(ordered.judgement().window()));
        assertEquals(List.of(), ordered.judgement().reasons());
    }

    @Test
    void anLlmsOrderNeedsNoScores() {
        stage.script.first = List.of(2);
        Asking.Ordered ordered =
                stage.asking("'strategy': 'insertrank'").aboutHits(FOUND).join();
        assertEquals(List.of("3", "1", "2", "4", "5", "6"), ids(ordered.hits()));
        assertEquals(1, stage.shelf.asked.size());
    }

    @Test
    void aCascadeOrdersTheWindowThenItsHead() {
        stage.script.first = List.of(3);
        Asking.Ordered ordered = stage.asking("'strategy': 'cascade'").aboutHits(FOUND).join();
        assertEquals(List.of("3", "6", "5", "4", "2", "1"), ids(ordered.hits()));
    }

    @Test
    void theEngineIsAskedForNothingWhereTheSidecarWouldNotBeAsked() {
        stage.script.listwise = "no JSON";
        for (int failures = 0; failures < 5; failures++) {
            assertEquals(Reason.UNUSABLE_ANSWER, reason(stage.refusal("")));
        }
        stage.shelf.asked.clear();
        assertEquals(Reason.CIRCUIT_OPEN, reason(stage.refusal("")));
        assertEquals(
                Reason.CIRCUIT_OPEN, reason(stage.refusal("'strategy': 'insertrank'")));
        assertEquals(
                Reason.CIRCUIT_OPEN,
                reason(Stage.failure(stage.asking("").aboutHits(FOUND))));
        assertEquals(List.of(), stage.shelf.asked);
    }

    private static Reason reason(Throwable error) {
        return assertInstanceOf(SidecarException.class, error).reason();
    }

    @Test
    void vectorsAreReadOnlyWhereRocchioCounts() {
        stage.asking("'fusion': {'listwise': 1, 'rocchio': 1}").aboutHits(FOUND).join();
        assertEquals(
                List.of(Vectors.write(new float[] {1, 1}), Vectors.write(new float[] {1, 2}), "none"),
                sentVectors());
        assertTrue(stage.shelf.asked.get(1).vector());
    }

    @Test
    void aVectorOfAnotherModelIsNotSentAlsoWhereNoTextIsRead() {
        stage.shelf.change(1, one -> one.hash("other:hash"));
        Asking.Ordered ordered =
                stage.asking("'fusion': {'rocchio': 1}").aboutHits(FOUND).join();
        assertEquals(List.of("none", Vectors.write(new float[] {1, 2}), "none"), sentVectors());
        assertEquals(List.of("stale_vector:1"), ordered.judgement().reasons());
    }

    @Test
    void fewerHitsThanAreWantedAreAllThereAre() {
        List<WindowHit> two = FOUND.subList(0, 2);
        Asking.Ordered ordered =
                stage.asking("'fusion': {'listwise': 1, 'rocchio': 1}, 'prompt_hits': 5")
                        .aboutHits(two)
                        .join();
        assertEquals(List.of("2", "1"), ids(ordered.hits()));
    }

    @Test
    void scoresThatCannotBeHadAreAFailure() {
        stage.shelf.answer =
                search ->
                        stage.shelf.asked.size() > 1
                                ? CompletableFuture.failedFuture(new IllegalStateException("broken"))
                                : CompletableFuture.completedFuture(stage.shelf.found(search));
        Throwable error = Stage.failure(stage.asking("").aboutHits(FOUND));
        assertInstanceOf(IllegalStateException.class, error);
    }

    @Test
    void bothStagesAreTimedAndAlsoOneThatFailed() {
        stage.judged("");
        Map<String, Object> timings = stage.timings.all();
        assertEquals(Set.of("window", "sidecar", "total"), timings.keySet());
        assertTrue((double) timings.get("sidecar") > 0);
        double before = (double) timings.get("sidecar");
        stage.script.listwise = "{}";
        stage.refusal("");
        assertTrue((double) stage.timings.all().get("sidecar") > before);
    }

    private List<Object> sentVectors() {
        return Cases.objectsAt(stage.script.listwiseCalls.getLast(), "hits").stream()
                .map(one -> one.getOrDefault("vector", "none"))
                .toList();
    }
}
