package org.rankside.search;

import java.util.List;
import org.rankside.client.Question;

/** What the sidecar is asked for one search, but for the hits. */
record Questions(Parameters parameters, Target target, String text, Sidecar sidecar) {
    /**
     * About {@code hits}, for as long as there is time.
     *
     * @param fingerprint of the model that made the stored vectors; null: none are asked about
     */
    Question about(List<WindowHit> hits, String fingerprint) {
        return new Question(
                text,
                hits.stream().map(one -> one.asked(target.fingerprint())).toList(),
                sidecar.leftMillis(),
                fingerprint,
                parameters.instruction(),
                parameters.fusion());
    }
}
