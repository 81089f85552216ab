package org.rankside.search;

import org.rankside.client.Hit;

/**
 * A hit of the first stage.
 *
 * @param text null where none was fetched, or there is none
 * @param vector its stored vector, or null
 * @param fingerprint what its vector is of: empty where nothing says so, as for a document without
 *     one; null where the index says so of no document
 */
public record WindowHit(Place place, float score, String text, float[] vector, String fingerprint) {
    /** The hit as a call has it, without its vector where that is of another model than {@code of}. */
    Hit asked(String of) {
        return new Hit(place.name(), score, text, stale(of) ? null : vector);
    }

    /** Whether its vector is known to be of another model than {@code of}. */
    boolean stale(String of) {
        return fingerprint != null && !fingerprint.isEmpty() && !fingerprint.equals(of);
    }

    /** With the text of {@code found}, the same hit, and what its vector is of, unless it has one. */
    WindowHit withTextOf(WindowHit found) {
        return text != null
                ? this
                : new WindowHit(place, score, found.text, vector, found.fingerprint);
    }

    /** With the vector of {@code found}, the same hit, and what it is of. */
    WindowHit withVectorOf(WindowHit found) {
        return new WindowHit(place, score, text, found.vector, found.fingerprint);
    }

    WindowHit withoutVector() {
        return new WindowHit(place, score, text, null, fingerprint);
    }

    /** What is known of it, and where that is nothing what {@code other}, the same hit, knows. */
    WindowHit and(WindowHit other) {
        return new WindowHit(
                place,
                score,
                text == null ? other.text : text,
                vector == null ? other.vector : vector,
                fingerprint == null || fingerprint.isEmpty() ? other.fingerprint : fingerprint);
    }
}
