package org.rankside.client;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/**
 * The text that a document's vector is made of, and its hash; what {@code connectors/meta.py} does.
 *
 * <p>Both write vectors into the same indices and pass over those whose hash is their own, so that
 * texts are to be the same to the character: spaces are Python's, and so are numbers.
 */
public final class DocumentText {
    private static final int HASH_DIGITS = 16;

    private DocumentText() {}

    /** The text fields in order, joined by a newline; those without text are left out. */
    public static String of(Map<String, ?> source, List<String> fields) {
        return fields.stream()
                .map(name -> words(find(source, name)))
                .filter(words -> !words.isEmpty())
                .collect(Collectors.joining("\n"));
    }

    /** The value of the hash field beside a vector that the model made of {@code text}. */
    public static String vectorHash(String fingerprint, String text) {
        return fingerprint + ":" + hash(text);
    }

    /** 16 hex digits of the text's SHA-256. */
    static String hash(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes(text));
            return HexFormat.of().formatHex(digest).substring(0, HASH_DIGITS);
        } catch (NoSuchAlgorithmException error) { // which every JDK has
            throw new IllegalStateException(error);
        }
    }

    /** {@code text} without halves of surrogate pairs, which UTF-8 cannot carry. */
    static String whole(String text) {
        if (isWhole(text)) {
            return text;
        }
        StringBuilder whole = new StringBuilder(text.length());
        text.codePoints().map(code -> isHalf(code) ? 0xFFFD : code).forEach(whole::appendCodePoint);
        return whole.toString();
    }

    /** UTF-8, in which the half of a surrogate pair has three bytes like any other character. */
    private static byte[] bytes(String text) {
        if (isWhole(text)) {
            return text.getBytes(StandardCharsets.UTF_8);
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(text.length() * 2);
        text.codePoints()
                .forEach(
                        code -> {
                            if (isHalf(code)) {
                                bytes.write(0xE0 | code >> 12);
                                bytes.write(0x80 | code >> 6 & 0x3F);
                                bytes.write(0x80 | code & 0x3F);
                            } else {
                                bytes.writeBytes(Character.toString(code).getBytes(StandardCharsets.UTF_8));
                            }
                        });
        return bytes.toByteArray();
    }

    private static boolean isWhole(String text) {
        return text.codePoints().noneMatch(DocumentText::isHalf);
    }

    private static boolean isHalf(int code) {
        return code >= Character.MIN_SURROGATE && code <= Character.MAX_SURROGATE;
    }

    private static Object find(Map<String, ?> source, String name) {
        Object value = source.get(name);
        if (value != null || name.indexOf('.') < 0) {
            return value;
        }
        value = source;
        for (String part : name.split("\\.", -1)) {
            value = value instanceof Map<?, ?> object ? object.get(part) : null;
        }
        return value;
    }

    private static String words(Object value) {
        return switch (value) {
            case null -> "";
            case Map<?, ?> textless -> "";
            case String text -> strip(text);
            case List<?> list ->
                    list.stream()
                            .filter(item -> Objects.nonNull(item) && !(item instanceof Map<?, ?>))
                            .map(DocumentText::words)
                            .collect(Collectors.joining(" "));
            case Boolean truth -> truth ? "True" : "False";
            case Double number -> PythonFloat.written(number);
            // Its shortest digits are what its JSON has, which Python reads as a double.
            case Float number -> PythonFloat.written(Double.parseDouble(number.toString()));
            default -> value.toString();
        };
    }

    private static String strip(String text) {
        int start = 0;
        int end = text.length();
        while (start < end && isSpace(text.charAt(start))) {
            start++;
        }
        while (end > start && isSpace(text.charAt(end - 1))) {
            end--;
        }
        return text.substring(start, end);
    }

    /** Python's str.isspace: Java's spaces, the no-break ones and NEL. */
    private static boolean isSpace(char one) {
        return Character.isWhitespace(one) || Character.isSpaceChar(one) || one == '\u0085';
    }
}
