package org.rankside.client;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What both native calls ask with.
 *
 * @param hits the first of the window, best first
 * @param deadlineMillis how long an answer is of use
 * @param vectorFingerprint of the model that made the stored vectors; null: not known
 * @param instruction null: the model's own
 * @param fusion weights by signal; null: the model's own
 */
public record Question(
        String query,
        List<Hit> hits,
        double deadlineMillis,
        String vectorFingerprint,
        String instruction,
        Map<String, Double> fusion) {

    /** The question as JSON has it, to which a call adds its own; what is not known is left out. */
    Map<String, Object> written() {
        Map<String, Object> call = new LinkedHashMap<>();
        call.put("query", query);
        call.put("hits", hits.stream().map(Hit::written).toList());
        call.put("deadline_ms", deadlineMillis);
        Hit.putUnlessNull(call, "vector_fingerprint", vectorFingerprint);
        Hit.putUnlessNull(call, "instruction", instruction);
        Hit.putUnlessNull(call, "fusion", fusion);
        return call;
    }
}
