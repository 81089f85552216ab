package org.rankside.search;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What the sidecar made of a window.
 *
 * @param window the hits that were looked at, in first-stage order
 * @param model null where none was asked
 * @param signals weight of each signal in the vector
 * @param reasons why it is only partly done
 * @param settled by how much a cascade's head needed no LLM; null where it was not so
 * @param sidecarMillis what the sidecar itself says it took
 */
public record Judgement(
        List<WindowHit> window,
        List<Step> steps,
        String model,
        Map<String, Object> signals,
        List<String> reasons,
        String settled,
        double sidecarMillis) {

    /** What the search will be: reranked, or partial. */
    public String status() {
        return reasons.isEmpty() ? "reranked" : "partial";
    }

    /** Null where there is nothing to explain. */
    public String reason() {
        List<String> all = new ArrayList<>(reasons);
        if (settled != null) {
            all.add(settled);
        }
        return all.isEmpty() ? null : String.join("; ", all);
    }

    /** Why an answer of this status and reason is only partly done; nothing where it is whole. */
    static List<String> partial(String status, String reason) {
        return status.equals("partial") ? List.of(reason == null ? "sidecar" : reason) : List.of();
    }

    /** The sum in an answer's timings, in milliseconds. */
    static double total(Map<String, Object> timings) {
        return timings.get("total") instanceof Number millis ? millis.doubleValue() : 0;
    }

    /** This one without the LLM's part, and why. */
    Judgement headless(String why) {
        List<String> all = new ArrayList<>(reasons);
        all.add("head_passed_through:" + why);
        return new Judgement(window, steps, model, signals, all, null, sidecarMillis);
    }

    /** This one, whose head the sidecar says is in order. */
    Judgement settled(String why) {
        return new Judgement(window, steps, model, signals, reasons, why, sidecarMillis);
    }

    /** This one, then {@code last}'s steps. */
    Judgement then(Judgement last) {
        List<Step> both = new ArrayList<>(steps);
        both.addAll(last.steps);
        List<String> all = new ArrayList<>(reasons);
        all.addAll(last.reasons);
        return new Judgement(
                window,
                both,
                model + " > " + last.model,
                signals,
                all,
                null,
                sidecarMillis + last.sidecarMillis);
    }
}
