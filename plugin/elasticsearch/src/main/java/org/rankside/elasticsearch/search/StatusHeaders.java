package org.rankside.elasticsearch.search;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.rankside.search.Parameters;
import org.rankside.search.Timings;
import org.rankside.search.Values;

/** What a response's headers say of a search: its body has no place for it. */
final class StatusHeaders {
    private static final int LONGEST = 500;

    private StatusHeaders() {}

    static Map<String, String> of(Outcome outcome, Parameters parameters, Timings timings) {
        Map<String, String> headers = new LinkedHashMap<>();
        headers.put("X-Rankside-Status", outcome.status());
        if (outcome.reason() != null) {
            headers.put("X-Rankside-Reason", plain(outcome.reason()));
        }
        if (outcome.passed() != null && outcome.passed().failed()) {
            headers.put("X-Rankside-Detail", plain(outcome.passed().getMessage()));
        }
        headers.put("X-Rankside-Strategy", Values.word(parameters.strategy()));
        if (outcome.judgement() != null) {
            headers.put("X-Rankside-Model", plain(outcome.judgement().model()));
            timings.add("sidecar_own", outcome.judgement().sidecarMillis());
        }
        headers.put(
                "X-Rankside-Timings",
                timings.all().entrySet().stream()
                        .map(one -> one.getKey() + "=" + one.getValue())
                        .collect(Collectors.joining(", ")));
        return headers;
    }

    /** In one line of visible ASCII, which is all that a header holds. */
    private static String plain(String text) {
        String visible = text.replaceAll("[^\\x20-\\x7e]", "?");
        return visible.substring(0, Math.min(visible.length(), LONGEST));
    }
}
