package org.rankside.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.rankside.client.Cases;
import org.rankside.client.VectorFields;

class TargetTest {
    private static final Map<String, Object> CASES = Cases.read("target.json");
    private static final String META =
            "'_meta': {'rankside': {'fingerprint': 'f', 'model': 'm', 'dimensions': 3}}";
    private static final String OURS =
            "{" + META + ", 'properties': {'rankside_vector': {'type': 'knn_vector', 'dimension': 3}}}";

    /** As one engine has them. */
    private static final VectorFields VECTORS =
            new VectorFields() {
                @Override
                public String type() {
                    return "knn_vector";
                }

                @Override
                public int dimensions(Map<String, Object> mapping) {
                    return (int) mapping.getOrDefault("dimension", 0);
                }

                @Override
                public boolean ofBits(Map<String, Object> mapping) {
                    return "binary".equals(mapping.get("data_type"));
                }
            };

    static Stream<Map<String, Object>> found() {
        return Cases.objectsAt(CASES, "found").stream();
    }

    static Stream<Map<String, Object>> passedThrough() {
        return Cases.objectsAt(CASES, "passed_through").stream();
    }

    @ParameterizedTest
    @MethodSource("found")
    @SuppressWarnings("unchecked")
    void whatASearchWorksOnIsAsThePythonClientHasIt(Map<String, Object> one) {
        Integer dimensions = (Integer) one.get("dimensions");
        assertEquals(
                new Target(
                        (List<String>) one.get("text_fields"),
                        (String) one.get("vector_field"),
                        dimensions == null ? 0 : dimensions,
                        (String) one.get("fingerprint"),
                        (String) one.get("hash_field"),
                        (List<String>) one.get("lacking")),
                target(one));
    }

    @ParameterizedTest
    @MethodSource("passedThrough")
    void whatItCannotWorkOnItIsAsThePythonClientHasIt(Map<String, Object> one) {
        assertEquals(
                one.get("reason"), assertThrows(PassThrough.class, () -> target(one)).reason());
    }

    @Test
    void whatFailsNamesTheIndicesAndTheRemedy() {
        Map<String, IndexFacts> plain = all("a", "{'properties': {}}", "b", "{}");
        assertEquals(
                "nothing says where the text of a,b is; name its text_fields",
                refusal(plain, "{}"));
        assertEquals(
                "a,b has no field rankside_vector; run `rankside backfill`, or name the vector_field",
                refusal(plain, "{'text_fields': 't'}"));
        assertEquals(
                "nothing says what is in the field rankside_vector of a; run `rankside backfill`, or"
                        + " name it as vector_field",
                refusal(all("a", OURS.replace(META + ", ", "")), "{'text_fields': 't'}"));
        assertEquals(
                "a is being embedded by another model; wait for `rankside backfill` to end, or run it"
                        + " again",
                refusal(all("a", OURS.replace("'f'", "''")), "{}"));
        assertEquals(
                "these indices hold vectors of different models or fields; search those of one model,"
                        + " or rebuild the others with `rankside backfill --rebuild`",
                refusal(all("a", OURS, "b", OURS.replace("'f'", "'g'")), "{}"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "'type': 'dense_vector'|dense_vector",
                "'properties': {}|object",
                "'type': 'knn_vector', 'data_type': 'binary'|a knn_vector of bits",
            })
    void aFieldThatHasNoCosineIsRefused(String mapping, String what) {
        Map<String, IndexFacts> facts =
                all("a", OURS, "b", "{'properties': {'rankside_vector': {" + mapping
                        + ", 'dimension': 3}}}");
        PassThrough passed =
                assertThrows(PassThrough.class, () -> Target.of(facts, parameters("{}"), VECTORS));
        assertEquals("no_vectors", passed.reason());
        assertEquals(
                "the field rankside_vector of b is " + what + ", which has no cosine; name a"
                        + " knn_vector of floats or bytes",
                passed.getMessage());
        assertEquals(
                "rankside_vector",
                Target.of(facts, parameters("{'strategy': 'insertrank'}"), VECTORS).vectorField());
    }

    private static String refusal(Map<String, IndexFacts> facts, String options) {
        return assertThrows(PassThrough.class, () -> Target.of(facts, parameters(options), VECTORS))
                .getMessage();
    }

    /** What is known of indices, whose names and mappings come in turn. */
    private static Map<String, IndexFacts> all(String... namesAndMappings) {
        Map<String, IndexFacts> all = new TreeMap<>();
        for (int at = 0; at < namesAndMappings.length; at += 2) {
            String name = namesAndMappings[at];
            all.put(name, IndexFacts.of(name, Cases.object(namesAndMappings[at + 1])));
        }
        return all;
    }

    private static Target target(Map<String, Object> one) {
        Map<String, IndexFacts> facts = new TreeMap<>();
        Map<String, Object> mappings = Cases.objectAt(CASES, "mappings");
        Cases.objectAt(one, "indices")
                .forEach(
                        (index, named) -> {
                            var body = Cases.objectAt(mappings, named.toString());
                            facts.put(index, IndexFacts.of(index, body));
                        });
        return Target.of(facts, parameters(Cases.objectAt(one, "options")), VECTORS);
    }

    private static Parameters parameters(String options) {
        return parameters(Cases.object(options));
    }

    private static Parameters parameters(Map<String, Object> options) {
        Map<String, Object> config = new HashMap<>(options);
        config.put("url", "http://127.0.0.1:8080");
        return Parameters.ofPipeline(config);
    }
}
