package org.rankside.opensearch.search;

import org.rankside.client.Hit;

/**
 * A hit of the first stage.
 *
 * @param text null where none was fetched, or there is none
 * @param vector its stored vector, or null
 * @param fingerprint what its vector is of: empty where nothing says so, as for a document without
 *     one; null where the index says so of no document
 */
record WindowHit(Place place, float score, String text, float[] vector, String fingerprint) {
    /** The hit as a call has it, without its vector where that is of another model than {@code of}. */
    Hit asked(String of) {
        return new Hit(place.name(), score, text, stale(of) ? null : vector);
    }

    /** Whether its vector is known to be of another model than {@code of}. */
    boolean stale(String of) {
        return fingerprint != null && !fingerprint.isEmpty() && !fingerprint.equals(of);
    }

    WindowHit withText(String found, String itsFingerprint) {
        return new WindowHit(place, score, found, vector, itsFingerprint);
    }

    WindowHit withVector(float[] found, String itsFingerprint) {
        return new WindowHit(place, score, text, found, itsFingerprint);
    }

    WindowHit withoutVector() {
        return withVector(null, fingerprint);
    }
}
