package org.rankside.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.rankside.search.Shelf.ids;
import static org.rankside.search.Shelf.place;
import static org.rankside.search.Shelf.windowHit;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.ParameterizedTest;
import org.rankside.client.Cases;
import org.rankside.client.Reason;
import org.rankside.client.RescoreWeights;
import org.rankside.client.SidecarException;

/** A cascade, and the order that steps give. */
@Timeout(60)
class JudgeTest {
    private static final String CASCADE = "'strategy': 'cascade', 'window': 6";
    private static final Step BY_VECTOR =
            new Step.ByVector(
                    new Comparison("v", new float[] {3, 4}, "h", "f"),
                    IntStream.rangeClosed(1, 6).mapToObj(Shelf::place).toList(),
                    RescoreWeights.of(0.25, 6));

    private Stage stage;

    /** By vector the order is 6, 5, 4, 3, 2, 1. */
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

    @ParameterizedTest
    @CsvSource({
        "3, 6 5 4",
        "1, 6",
        "50, 6 5 4 3", // no more than the LLM takes
    })
    void ofACascadeASearchMaySayHowManyTheLlmIsShown(int head, String shown) {
        stage.judged(CASCADE + ", 'head': " + head);
        List<?> hits = (List<?>) stage.script.rankCalls.getLast().get("hits");
        assertEquals(
                List.of(shown.split(" ")),
                hits.stream().map(hit -> ((String) ((Map<?, ?>) hit).get("id")).split("/")[1]).toList());
    }

    @Test
    void aCascadesLlmIsShownTheHeadOfTheVectorsOrderWithFirstStageScores() {
        stage.judged(CASCADE);
        assertEquals(
                Cases.objectsAt(
                        Cases.object(
                                "{'hits': [{'id': 'i/6', 'score': 1.0, 'text': 'text 6'},"
                                        + "{'id': 'i/5', 'score': 2.0, 'text': 'text 5'},"
                                        + "{'id': 'i/4', 'score': 3.0, 'text': 'text 4'},"
                                        + "{'id': 'i/3', 'score': 4.0, 'text': 'text 3'}]}"),
                        "hits"),
                stage.script.rankCalls.getLast().get("hits"));
        assertEquals(
                List.of("GET /v1/models", "POST /v1/listwise", "POST /v1/rank"), stage.asked());
    }

    @Test
    void aCascadesLlmIsSentNoVectorsThatWereFetchedForRocchio() {
        stage.shelf.byVector.put(place(1), 99f);
        stage.judged(CASCADE + ", 'fusion': {'listwise': 1, 'rocchio': 1}");
        Map<String, Object> first =
                Cases.objectsAt(stage.script.rankCalls.getLast(), "hits").getFirst();
        assertEquals(Map.of("id", "i/1", "score", 6.0, "text", "text 1"), first);
        assertTrue(
                Cases.objectsAt(stage.script.listwiseCalls.getLast(), "hits")
                        .getFirst()
                        .containsKey("vector"));
    }

    @Test
    void ofACascadeNothingIsFetchedTwice() {
        stage.judged(CASCADE);
        List<Shelf.Search> asked = stage.shelf.asked;
        assertEquals(
                List.of(3, 6, 6, 3), asked.stream().map(Shelf.Search::size).toList());
        // After the window, scores of all of it by vector, and texts that the first prompt had not.
        assertEquals(
                List.of(place(6), place(5), place(4)),
                asked.get(3).places());
    }

    @Test
    void aCascadeRescoresByTheVectorThenByTheLlmsOrder() {
        stage.script.first = List.of(1, 2);
        stage.script.listwise =
                Script.VECTOR.replace("'reranked', 'reason': null", "'partial', 'reason': 'cut:1'");
        stage.script.rankStatus = "'partial', 'reason': 'repaired:1'";
        Judgement judgement = stage.judged(CASCADE);
        Step byOrder = new Step.ByOrder(List.of(place(5), place(4), place(6)));
        assertEquals(List.of(BY_VECTOR, byOrder), judgement.steps());
        assertEquals(List.of("1", "2", "3", "4", "5", "6"), ids(judgement.window()));
        assertEquals("m > l", judgement.model());
        assertEquals(Map.of("listwise", 1.0), judgement.signals());
        assertEquals(List.of("cut:1", "repaired:1"), judgement.reasons());
        assertEquals(42.5, judgement.sidecarMillis());
    }

    @Test
    void theSidecarIsToldWhatE2RankGaveEveryHitThatHasAVector() {
        stage.shelf.byVector.remove(place(2));
        stage.judged(CASCADE);
        RescoreWeights weights = RescoreWeights.of(0.25, 6);
        List<Double> scores =
                List.of(6, 5, 4, 3, 1).stream()
                        .map(n -> weights.query() * (7.0 - n) + weights.rescore() * n * 2.0)
                        .toList();
        assertEquals(scores, stage.script.rankCalls.getLast().get("window_scores"));
    }

    @Test
    void aCascadeWhoseHeadIsSettledIsE2RankAndNotPartial() {
        stage.script.rankStatus = "'passed_through', 'reason': 'head_settled:2.31'";
        Judgement judgement = stage.judged(CASCADE + ", 'on_failure': 'fail'");
        assertEquals(List.of(BY_VECTOR), judgement.steps());
        assertEquals(
                List.of("reranked", "head_settled:2.31", "m"),
                List.of(judgement.status(), judgement.reason(), judgement.model()));
        assertFalse(stage.script.rankCalls.getLast().containsKey("llm_deadline_ms"));
    }

    @Test
    void anLlmHasTheTimeThatASearchGivesIt() {
        stage.judged(CASCADE + ", 'llm_timeout': '250ms'");
        assertEquals(250.0, stage.script.rankCalls.getLast().get("llm_deadline_ms"));
    }

    @Test
    void aCascadeWithoutAnLlmIsE2Rank() {
        stage.script.models = Script.ENCODER;
        assertHeadless("no_llm");
    }

    @Test
    void aCascadeWhoseLlmIsTooBusyIsE2Rank() {
        stage.script.rankCode = 429;
        assertHeadless("overloaded");
    }

    @Test
    void aCascadeWhoseLlmSaysNothingOfUseIsE2Rank() {
        stage.script.rankStatus = "'passed_through', 'reason': 'unusable_answer'";
        assertHeadless("unusable_answer");
    }

    @Test
    void aCascadeWhoseHeadCannotBeReadIsE2Rank() {
        stage.shelf.answer =
                search ->
                        stage.shelf.asked.size() > 3
                                ? CompletableFuture.failedFuture(new IllegalStateException("broken"))
                                : CompletableFuture.completedFuture(stage.shelf.found(search));
        assertHeadless("engine_rejected");
    }

    @Test
    void whoWantsAnErrorGetsItForTheHeadToo() {
        stage.script.rankCode = 429;
        SidecarException error =
                assertInstanceOf(
                        SidecarException.class, stage.refusal(CASCADE + ", 'on_failure': 'fail'"));
        assertEquals(Reason.OVERLOADED, error.reason());
    }

    @Test
    void aCascadeWithoutAVectorIsNothing() {
        stage.script.listwise = Script.VECTOR.replace("'f'", "'g'");
        assertEquals("stale_vectors", ((PassThrough) stage.refusal(CASCADE)).reason());
        assertEquals(List.of(), stage.script.rankCalls);
    }

    @Test
    void stepsAreCarriedOutOneAfterTheOther() {
        List<WindowHit> hits =
                List.of(windowHit("1", 3), windowHit("2", 2), windowHit("3", 1), windowHit("9", 1));
        Step byVector =
                new Step.ByVector(
                        new Comparison("v", new float[] {3, 4}, null, null),
                        null,
                        new RescoreWeights(0.25f, 1f));
        Step byOrder = new Step.ByOrder(List.of(place(1), place(3)));
        Judge judge = stage.judge("");
        assertEquals(hits, judge.ordered(hits, List.of()).join());
        assertEquals(
                List.of("3", "2", "1", "9"), ids(judge.ordered(hits, List.of(byVector)).join()));
        assertEquals(
                List.of("1", "3", "2", "9"),
                ids(judge.ordered(hits, List.of(byVector, byOrder)).join()));
    }

    private void assertHeadless(String why) {
        Judgement judgement = stage.judged(CASCADE);
        assertEquals(List.of(BY_VECTOR), judgement.steps());
        assertEquals(List.of("head_passed_through:" + why), judgement.reasons());
        assertEquals("m", judgement.model());
        assertEquals(2.5, judgement.sidecarMillis());
    }
}
