package org.rankside.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.rankside.search.Shelf.ids;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.rankside.client.Cases;
import org.rankside.client.Reason;
import org.rankside.client.RescoreWeights;
import org.rankside.client.SidecarException;
import org.rankside.client.Vectors;

@Timeout(60)
class E2RankTest {
    private static final float[] VECTOR = {3, 4};
    private static final Comparison BY = new Comparison("v", VECTOR, "h", "f");

    private Stage stage;

    @BeforeEach
    void set() {
        stage = new Stage();
    }

    @AfterEach
    void close() {
        stage.close();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "``|false|3|3|0", // the prompt's hits, and their texts
                "'window': 2|false|2|2|0", // a prompt is no larger than the window
                "'prompt_hits': 5|false|5|5|0",
                "``|true|3|100|0", // where each hit was is to be told
                "'exact_window': true|false|3|100|0",
                "'strategy': 'cascade', 'window': 50|false|3|50|0",
                "'fusion': {'query': 1}|false|0|3|0", // no text is read
                "'fusion': {'listwise': 1, 'rocchio': 0.5}|false|3|3|2",
                "'fusion': {'listwise': 1, 'rocchio': 0}|false|3|3|0",
                "'fusion': {'rocchio': 1}, 'prompt_hits': 1|false|0|1|1",
            })
    void noMoreOfTheWindowIsWantedThanIsUsed(
            String parameters, boolean whole, int texts, int hits, int vectors) {
        assertEquals(
                new Wanted(texts, hits, vectors), stage.judge(parameters).wanted(whole).join());
    }

    @Test
    void theModelsOwnFusionSaysWhatIsWanted() {
        stage.script.models =
                Script.ENCODER.replace("'fusion': null", "'fusion': {'query': 0.5, 'rocchio': 0.5}");
        assertEquals(new Wanted(0, 3, 2), stage.judge("").wanted(false).join());
        assertEquals(
                new Wanted(3, 3, 0),
                stage.judge("'fusion': {'listwise': 1}").wanted(false).join());
    }

    @Test
    void theCallHasThePromptsHitsAndWhatIsKnownOfTheIndex() {
        stage.judged("");
        Map<String, Object> call = stage.script.listwiseCalls.getLast();
        double deadline = (double) call.remove("deadline_ms");
        assertTrue(deadline > 5_000 && deadline <= 20_000, "" + deadline);
        assertEquals(
                Cases.object(
                        "{'query': 'water', 'vector_fingerprint': 'f', 'dimensions': 2, 'hits': ["
                                + "{'id': 'i/1', 'score': 6.0, 'text': 'text 1'},"
                                + "{'id': 'i/2', 'score': 5.0, 'text': 'text 2'},"
                                + "{'id': 'i/3', 'score': 4.0, 'text': 'text 3'}]}"),
                call);
        assertEquals(List.of("GET /v1/models", "POST /v1/listwise"), stage.asked());
    }

    @Test
    void whatTheSearchSaysOfTheRankingIsPassedOn() {
        stage.judged("'prompt_hits': 2, 'instruction': 'rank', 'fusion': {'listwise': 1, 'query': 2}");
        Map<String, Object> call = stage.script.listwiseCalls.getLast();
        assertEquals(2, call.get("prompt_hits"));
        assertEquals("rank", call.get("instruction"));
        assertEquals(Map.of("listwise", 1.0, "query", 2.0), call.get("fusion"));
        assertEquals(2, Cases.objectsAt(call, "hits").size());
    }

    @Test
    void vectorsAreSentOfTheHitsThatTheFirstStageTrustsMostIfRocchioCounts() {
        stage.judged("'fusion': {'listwise': 1, 'rocchio': 1}");
        assertEquals(
                List.of(Vectors.write(new float[] {1, 1}), Vectors.write(new float[] {1, 2}), "none"),
                sent("vector"));
    }

    @Test
    void aVectorOfAnotherModelIsNotSentAlthoughItsTextIs() {
        stage.shelf.change(1, one -> one.hash("other:hash"));
        stage.judged("'fusion': {'listwise': 1, 'rocchio': 1}");
        assertEquals(
                List.of("none", Vectors.write(new float[] {1, 2}), "none"), sent("vector"));
        assertEquals(List.of("text 1", "text 2", "text 3"), sent("text"));
    }

    @Test
    void theWindowIsRescoredByTheVectorAndTheFirstStagesWeight() {
        Judgement judgement = stage.judged("");
        assertEquals(
                List.of(new Step.ByVector(BY, null, RescoreWeights.of(0.25, 6))),
                judgement.steps());
        assertEquals(List.of("1", "2", "3"), ids(judgement.window()));
        assertEquals("m", judgement.model());
        assertEquals(Map.of("listwise", 1.0), judgement.signals());
        assertEquals(List.of(), judgement.reasons());
        assertEquals(2.5, judgement.sidecarMillis());
    }

    @Test
    void anExactWindowIsThatOfItsHitsAlone() {
        Judgement judgement = stage.judged("'exact_window': true, 'window': 5");
        List<Place> places = IntStream.rangeClosed(1, 5).mapToObj(Shelf::place).toList();
        assertEquals(
                List.of(new Step.ByVector(BY, places, RescoreWeights.of(0.25, 6))),
                judgement.steps());
        assertEquals(List.of("text 1", "text 2", "text 3"), sent("text"));
    }

    @Test
    void whereNothingSaysOfAVectorWhatItIsOfItIsCompared() {
        stage.target = new Target(List.of("text"), "v", 2, "f", null, List.of());
        Comparison bare = new Comparison("v", VECTOR, null, null);
        assertEquals(
                List.of(new Step.ByVector(bare, null, RescoreWeights.of(0.25, 6))),
                stage.judged("").steps());
    }

    @Test
    void anIndexThatNamesNoModelIsTakenForTheSidecars() {
        stage.target = new Target(List.of("text"), "v", 0, null, null, List.of());
        stage.script.models = Script.ENCODER.replace("'f'", "'own'");
        stage.script.listwise = Script.VECTOR.replace("'f'", "'own'");
        assertEquals(List.of(), stage.judged("").reasons());
        Map<String, Object> call = stage.script.listwiseCalls.getLast();
        assertEquals("own", call.get("vector_fingerprint"));
        assertFalse(call.containsKey("dimensions"));
    }

    @Test
    void whatCouldNotBeComparedIsCounted() {
        stage.shelf.change(1, one -> one.vector(null).hash(null));
        stage.shelf.change(3, one -> one.hash("other:hash"));
        stage.shelf.change(4, one -> one.hash("other:hash"));
        stage.target = new Target(List.of("text"), "v", 2, "f", "h", List.of("plain", "bare"));
        stage.script.listwise =
                Script.VECTOR.replace(
                        "'reranked', 'reason': null", "'partial', 'reason': 'truncated:1'");
        List<String> without =
                List.of(
                        "truncated:1", "not_embedded:1", "stale_vector:1", "no_vectors_in:plain",
                        "no_vectors_in:bare");
        assertEquals(without, stage.judged("").reasons());
        assertTrue(stage.judged("'exact_window': true").reasons().contains("stale_vector:2"));
    }

    @Test
    void aWindowOfAnotherModelsVectorsIsLeftAlone() {
        for (int number = 1; number <= 6; number++) {
            stage.shelf.change(number, one -> one.hash("other:hash"));
        }
        PassThrough passed = (PassThrough) stage.refusal("");
        assertEquals("stale_vectors", passed.reason());
        assertEquals(
                "the vectors of this index are of another fingerprint than m's; run `rankside"
                        + " backfill`, or serve the index's model",
                passed.getMessage());
    }

    @Test
    void aSidecarWithAnotherModelThanTheIndexIsNotUsedAndItsCardIsAskedForAgain() {
        stage.script.listwise = Script.VECTOR.replace("'f'", "'g'");
        PassThrough passed = (PassThrough) stage.refusal("");
        assertEquals("stale_vectors", passed.reason());
        assertEquals(
                "the vectors of this index are f, and the sidecar's m is g; run `rankside backfill`,"
                        + " or serve the index's model",
                passed.getMessage());
        stage.refusal("");
        assertEquals(
                List.of("GET /v1/models", "POST /v1/listwise", "GET /v1/models", "POST /v1/listwise"),
                stage.asked());
    }

    @Test
    void aCardIsKeptForAsLongAsItIsTrue() {
        stage.judged("");
        stage.judged("");
        assertEquals(
                List.of("GET /v1/models", "POST /v1/listwise", "POST /v1/listwise"), stage.asked());
    }

    @Test
    void aVectorOfAnotherLengthIsNotUsed() {
        stage.target = new Target(List.of("text"), "v", 384, "f", "h", List.of());
        PassThrough passed = (PassThrough) stage.refusal("");
        assertEquals("unusable_answer", passed.reason());
        assertEquals(
                "the sidecar's vector has 2 dimensions and the index's 384; check its model",
                passed.getMessage());
    }

    @ParameterizedTest
    @CsvSource(nullValues = "null", value = {"'no_text', no_text", "null, sidecar"})
    void whatTheSidecarPassesThroughIsPassedThrough(String said, String reason) {
        stage.script.listwise =
                Script.VECTOR
                        .replaceAll("'vector': '[^']*'", "'vector': null")
                        .replace("'reranked', 'reason': null", "'passed_through', 'reason': "
                                + (said == null ? "null" : "'" + said + "'"));
        PassThrough passed = (PassThrough) stage.refusal("");
        assertEquals(reason, passed.reason());
        assertEquals(
                "the sidecar passed the search through (" + reason + "); see its log",
                passed.getMessage());
    }

    @Test
    void anAnswerThatMakesNoSenseIsTheSidecarsFailure() {
        stage.script.listwise = Script.VECTOR.replace("0.25", "-1");
        SidecarException error = (SidecarException) stage.refusal("");
        assertEquals(Reason.UNUSABLE_ANSWER, error.reason());
    }

    @Test
    void nothingIsAskedAboutAWindowWithoutHits() {
        stage.shelf.answer = search -> CompletableFuture.completedFuture(List.of());
        PassThrough passed = (PassThrough) stage.refusal("");
        assertEquals("no_hits", passed.reason());
        assertFalse(passed.failed());
        assertEquals(List.of("GET /v1/models"), stage.asked());
    }

    /** The values of one field of the last call's hits. */
    private List<Object> sent(String field) {
        return Cases.objectsAt(stage.script.listwiseCalls.getLast(), "hits").stream()
                .map(one -> one.getOrDefault(field, "none"))
                .toList();
    }
}
