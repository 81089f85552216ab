package org.rankside.opensearch.search;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.opensearch.common.document.DocumentField;
import org.opensearch.search.SearchHit;
import org.rankside.client.DocumentText;

/** Reads what a hit of a response has of a document. */
final class HitReader {
    /** Characters; far more than a prompt takes, so that no book makes a call too large. */
    private static final int LONGEST_TEXT = 65_536;

    private HitReader() {}

    /** {@code hit}, with what was fetched of it. */
    static WindowHit read(SearchHit hit, Target target) {
        return new WindowHit(
                Place.of(hit),
                Float.isFinite(hit.getScore()) ? hit.getScore() : 0f,
                text(hit, target),
                vector(hit.field(target.vectorField()), target.dimensions()),
                fingerprint(hit, target.hashField()));
    }

    /** The document's text as it was embedded, cut; null where there is none. */
    static String text(SearchHit hit, Target target) {
        Map<String, Object> source = hit.hasSource() ? hit.getSourceAsMap() : Map.of();
        String text = DocumentText.of(source, target.textFields());
        return text.isEmpty() ? null : text.substring(0, Math.min(text.length(), LONGEST_TEXT));
    }

    /** Null where there is none, or it has another length than the field, a NaN, or no direction. */
    private static float[] vector(DocumentField field, int dimensions) {
        if (field == null) {
            return null;
        }
        List<Object> values = field.getValues();
        if (values.size() == 1 && values.get(0) instanceof List<?> inner) {
            values = new ArrayList<>(inner);
        }
        float[] vector = new float[values.size()];
        double squares = 0;
        for (int at = 0; at < vector.length; at++) {
            if (!(values.get(at) instanceof Number number)) {
                return null;
            }
            vector[at] = number.floatValue();
            squares += (double) vector[at] * vector[at];
        }
        boolean sized = dimensions == 0 || vector.length == dimensions;
        return sized && Double.isFinite(squares) && squares > 0 ? vector : null;
    }

    private static String fingerprint(SearchHit hit, String field) {
        if (field == null) {
            return null;
        }
        DocumentField found = hit.field(field);
        Object value = found == null ? null : found.getValue();
        String hash = value == null ? "" : value.toString();
        int colon = hash.indexOf(':');
        return colon < 0 ? hash : hash.substring(0, colon);
    }
}
