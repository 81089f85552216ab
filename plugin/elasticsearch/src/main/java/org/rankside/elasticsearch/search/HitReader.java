package org.rankside.elasticsearch.search;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.elasticsearch.common.document.DocumentField;
import org.elasticsearch.search.SearchHit;
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

    /** {@code hit}, with what was fetched of it. */
    static WindowHit read(SearchHit hit, Target target) {
        Map<String, Object> source = hit.hasSource() ? hit.getSourceAsMap() : Map.of();
        return new WindowHit(
                place(hit),
                HitValues.score(hit.getScore()),
                HitValues.text(source, target.textFields()),
                vector(hit.field(target.vectorField()), target.dimensions()),
                fingerprint(hit, target.hashField()));
    }

    private static float[] vector(DocumentField field, int dimensions) {
        if (field == null) {
            return null;
        }
        List<Object> values = field.getValues();
        if (values.size() == 1 && values.getFirst() instanceof float[] floats) {
            values = new ArrayList<>(floats.length);
            for (float one : floats) {
                values.add(one);
            }
        }
        return HitValues.vector(values, dimensions);
    }

    private static String fingerprint(SearchHit hit, String field) {
        if (field == null) {
            return null;
        }
        DocumentField found = hit.field(field);
        return HitValues.fingerprint(found == null ? null : found.getValue());
    }
}
