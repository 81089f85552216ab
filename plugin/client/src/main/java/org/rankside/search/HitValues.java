package org.rankside.search;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.rankside.client.DocumentText;

/** Reads what a response's hit has of a document. */
public final class HitValues {
    /** Characters; far more than a prompt takes, so that no book makes a call too large. */
    private static final int LONGEST_TEXT = 65_536;

    private HitValues() {}

    /** A score that can be reckoned with: 0 where there is none. */
    public static float score(float score) {
        return Float.isFinite(score) ? score : 0f;
    }

    /** A document's text as it was embedded, cut; null where there is none. */
    public static String text(Map<String, Object> source, List<String> fields) {
        String text = DocumentText.of(source, fields);
        return text.isEmpty() ? null : text.substring(0, Math.min(text.length(), LONGEST_TEXT));
    }

    /**
     * A field's values as a vector.
     *
     * <p>Null where there is none, or it has another length than {@code dimensions}, a NaN, or no
     * direction.
     *
     * @param dimensions 0: not known
     */
    public static float[] vector(List<Object> field, int dimensions) {
        List<Object> values = field;
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

    /** The fingerprint in a hash {@code fingerprint:…}; empty where {@code hash} is null. */
    public static String fingerprint(Object hash) {
        String text = hash == null ? "" : hash.toString();
        int colon = text.indexOf(':');
        return colon < 0 ? text : text.substring(0, colon);
    }
}
