package org.rankside.elasticsearch.search;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.elasticsearch.search.rank.RankDoc;
import org.rankside.search.Judgement;
import org.rankside.search.PassThrough;
import org.rankside.search.WindowHit;

/**
 * What became of a search.
 *
 * @param judgement null where it is passed through
 * @param passed why it is passed through; null where it is not
 * @param order all of the window in its new order; null where the engine finds it by rescoring
 * @param first the window as the first stage had it; null where {@code order} is
 * @param inPlace whether a rescore in the user's own search gives the same answer
 */
record Outcome(
        Judgement judgement,
        PassThrough passed,
        RankDoc[] order,
        RankDoc[] first,
        boolean inPlace) {
    static Outcome passed(PassThrough why) {
        return new Outcome(null, why, null, null, false);
    }

    static Outcome ordered(Judgement judgement, RankDoc[] order, RankDoc[] first) {
        return new Outcome(judgement, null, order, first, false);
    }

    static Outcome rescored(Judgement judgement, boolean inPlace) {
        return new Outcome(judgement, null, null, null, inPlace);
    }

    String status() {
        if (judgement == null) {
            return "passed_through";
        }
        return judgement.status();
    }

    /** Null where there is nothing to explain. */
    String reason() {
        if (judgement == null) {
            return passed.reason();
        }
        return judgement.reason();
    }

    /** Where each hit of the window was, by the name of its place. */
    Map<String, Object> before() {
        Map<String, Object> before = new HashMap<>();
        List<WindowHit> window = judgement.window();
        for (int at = 0; at < window.size(); at++) {
            WindowHit hit = window.get(at);
            before.put(
                    hit.place().name(),
                    Map.of("first_stage_rank", at + 1, "first_stage_score", hit.score()));
        }
        return before;
    }
}
