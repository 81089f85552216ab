package org.rankside.opensearch.search;

import java.util.Map;
import org.opensearch.common.document.DocumentField;
import org.opensearch.search.SearchHit;
import org.rankside.search.HitValues;
import org.rankside.search.Place;
import org.rankside.search.Target;
import org.rankside.search.WindowHit;

/** Reads what a hit of a response has of a document. */
final class HitReader {
    private HitReader() {}

    /** Where {@code hit} is kept. */
    static Place place(SearchHit hit) {
        return new Place(hit.getIndex(), hit.getId());
    }

    /** {@code hit} and its score. */
    static WindowHit bare(SearchHit hit) {
        return new WindowHit(place(hit), HitValues.score(hit.getScore()), null, null, null);
    }

    /** {@code hit}, with what was fetched of it. */
    static WindowHit read(SearchHit hit, Target target) {
        Map<String, Object> source = hit.hasSource() ? hit.getSourceAsMap() : Map.of();
        DocumentField vector = hit.field(target.vectorField());
        return new WindowHit(
                place(hit),
                HitValues.score(hit.getScore()),
                HitValues.text(source, target.textFields()),
                vector == null ? null : HitValues.vector(vector.getValues(), target.dimensions()),
                fingerprint(hit, target.hashField()));
    }

    private static String fingerprint(SearchHit hit, String field) {
        if (field == null) {
            return null;
        }
        DocumentField found = hit.field(field);
        return HitValues.fingerprint(found == null ? null : found.getValue());
    }
}
