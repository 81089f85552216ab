package org.rankside.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.rankside.search.Shelf.ids;
import static org.rankside.search.Shelf.place;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.rankside.client.Cases;
import org.rankside.client.Reason;
import org.rankside.client.SidecarException;

@Timeout(60)
class InsertRankTest {
    private static final String BY_LLM = "'strategy': 'insertrank'";

    private Stage stage;

    @BeforeEach
    void set() {
        stage = new Stage();
        stage.target = new Target(List.of("text"), "v", 0, null, null, List.of("i"));
    }

    @AfterEach
    void close() {
        stage.close();
    }

    @ParameterizedTest
    @CsvSource({
        "4, 100, false, 4, 4", // as many as the LLM's prompt holds
        "4, 100, true, 4, 100", // where each hit was is to be told
        "4, 3, false, 3, 3", // a prompt is no larger than the window
        "0, 50, false, 50, 50", // an LLM that says no number takes the window
    })
    void noMoreOfTheWindowIsWantedThanIsUsed(
            int prompt, int window, boolean whole, int texts, int hits) {
        stage.script.models =
                Script.ENCODER + ", " + Script.LLM.replace("'prompt_hits': 4", "'prompt_hits': " + prompt);
        assertEquals(
                new Wanted(texts, hits, 0),
                stage.judge(BY_LLM + ", 'window': " + window).wanted(whole).join());
    }

    @Test
    void theHeadOfACascadeIsNoMatterOfItsOwn() {
        assertEquals(new Wanted(4, 4, 0), stage.judge(BY_LLM + ", 'head': 3").wanted(false).join());
    }

    @Test
    void theLlmIsShownTextsAndScoresAndNoVectors() {
        stage.judged(BY_LLM + ", 'instruction': 'rank', 'fusion': {'rocchio': 1}");
        Map<String, Object> call = stage.script.rankCalls.getLast();
        double deadline = (double) call.remove("deadline_ms");
        assertTrue(deadline > 5_000 && deadline <= 20_000, "" + deadline);
        assertEquals(
                Cases.object(
                        "{'query': 'water', 'strategy': 'insertrank', 'instruction': 'rank',"
                                + " 'fusion': {'rocchio': 1.0}, 'hits': ["
                                + "{'id': 'i/1', 'score': 6.0, 'text': 'text 1'},"
                                + "{'id': 'i/2', 'score': 5.0, 'text': 'text 2'},"
                                + "{'id': 'i/3', 'score': 4.0, 'text': 'text 3'},"
                                + "{'id': 'i/4', 'score': 3.0, 'text': 'text 4'}]}"),
                call);
        assertEquals(List.of("GET /v1/models", "POST /v1/rank"), stage.asked());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            nullValues = "-",
            value = {
                "3 0|4 1 2 3", // to the last hit that is not where it was
                "1|2 1",
                "0 1 2 3|-",
                "-|-",
                "0 2|1 3 2",
            })
    void theHitsUpToTheLastOneThatMovedComeInTheLlmsOrder(String first, String order) {
        stage.script.first = first == null ? List.of() : numbers(first);
        List<Place> places =
                order == null ? List.of() : numbers(order).stream().map(Shelf::place).toList();
        assertEquals(List.of(new Step.ByOrder(places)), stage.judged(BY_LLM).steps());
    }

    @Test
    void whatBecameOfItIsTold() {
        Judgement judgement = stage.judged(BY_LLM);
        assertEquals(List.of("1", "2", "3", "4"), ids(judgement.window()));
        assertEquals("l", judgement.model());
        assertEquals(Map.of(), judgement.signals());
        assertEquals(List.of(), judgement.reasons());
        assertEquals(40.0, judgement.sidecarMillis());
    }

    @Test
    void anOrderThatHadToBeRepairedIsPartial() {
        stage.script.rankStatus = "'partial', 'reason': 'repaired:2'";
        assertEquals(List.of("repaired:2"), stage.judged(BY_LLM).reasons());
        stage.script.rankStatus = "'partial', 'reason': null";
        assertEquals(List.of("sidecar"), stage.judged(BY_LLM).reasons());
    }

    @Test
    void anAnswerOfNoUseIsPassedThrough() {
        stage.script.rankStatus = "'passed_through', 'reason': 'unusable_answer'";
        PassThrough passed = (PassThrough) stage.refusal(BY_LLM);
        assertEquals("unusable_answer", passed.reason());
        assertTrue(passed.failed());
    }

    @Test
    void aSidecarWithoutAnLlmIsNotAskedForOne() {
        stage.script.models = Script.ENCODER;
        PassThrough passed = (PassThrough) stage.refusal(BY_LLM);
        assertEquals("no_llm", passed.reason());
        assertEquals("the sidecar has no LLM; set RANKSIDE_LLM__URL there", passed.getMessage());
        assertEquals(List.of("GET /v1/models"), stage.asked());
        assertEquals(List.of(), stage.shelf.asked);
    }

    @Test
    void aSidecarThatIsTooBusySaysSo() {
        stage.script.rankCode = 429;
        assertEquals(
                Reason.OVERLOADED, ((SidecarException) stage.refusal(BY_LLM)).reason());
    }

    @Test
    void aHitWithoutATextIsShownAllTheSame() {
        stage.shelf.change(2, one -> one.text(null));
        stage.script.first = List.of(1);
        assertEquals(
                List.of(new Step.ByOrder(List.of(place(2), place(1)))),
                stage.judged(BY_LLM).steps());
        assertEquals(
                List.of(true, false, true, true),
                Cases.objectsAt(stage.script.rankCalls.getLast(), "hits").stream()
                        .map(one -> one.containsKey("text"))
                        .toList());
    }

    private static List<Integer> numbers(String words) {
        return Arrays.stream(words.split(" ")).map(Integer::valueOf).toList();
    }
}
