package org.rankside.client;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Finds the words a request searches for, where they can be read unambiguously.
 *
 * <p>The rule is that of {@code connectors/query_text.py}; one file of cases is run on both.
 */
public final class QueryText {
    /** Queries of one field, which take the text itself or an object; its key in the object. */
    private static final Map<String, String> FIELD_QUERIES =
            Map.of(
                    "match", "query",
                    "match_phrase", "query",
                    "match_bool_prefix", "query",
                    "match_phrase_prefix", "query",
                    "neural", "query_text",
                    "neural_sparse", "query_text",
                    "text_expansion", "model_text");

    private static final Set<String> PLAIN_QUERIES =
            Set.of(
                    "multi_match",
                    "query_string",
                    "simple_query_string",
                    "combined_fields",
                    "semantic",
                    "sparse_vector");

    /** Queries around others, and where those are; what only filters or demotes is no search text. */
    private static final Map<String, List<String>> WRAPPERS =
            Map.ofEntries(
                    Map.entry("bool", List.of("must", "should")),
                    Map.entry("function_score", List.of("query")),
                    Map.entry("constant_score", List.of("filter")),
                    Map.entry("script_score", List.of("query")),
                    Map.entry("nested", List.of("query")),
                    Map.entry("boosting", List.of("positive")),
                    Map.entry("dis_max", List.of("queries")),
                    Map.entry("hybrid", List.of("queries")),
                    Map.entry("pinned", List.of("organic")),
                    Map.entry("standard", List.of("query")),
                    Map.entry("rescorer", List.of("retriever")),
                    Map.entry("rrf", List.of("retrievers", "query")),
                    Map.entry("linear", List.of("retrievers", "query")),
                    Map.entry("text_similarity_reranker", List.of("retriever")));

    private final Set<String> texts = new LinkedHashSet<>();

    private QueryText() {}

    /**
     * The one text that {@code query} searches for, the same text in several clauses being one.
     *
     * @param query a query or a retriever as JSON has it, or null
     * @throws IllegalArgumentException there is none, or there are several; the message says so
     */
    public static String of(Object query) {
        QueryText found = new QueryText();
        found.read(query);
        if (found.texts.size() == 1) {
            return found.texts.iterator().next();
        }
        String what =
                found.texts.isEmpty()
                        ? "no full-text clause"
                        : found.texts.size() + " different texts";
        throw new IllegalArgumentException(
                "the query has " + what + "; say what to rerank for with query_text");
    }

    /** A query, a retriever, or a list of them; some retrievers take a bare text. */
    private void read(Object query) {
        switch (query) {
            case List<?> several -> several.forEach(this::read);
            case Map<?, ?> clauses ->
                    clauses.forEach(
                            (name, value) -> {
                                if (value instanceof Map<?, ?> body) {
                                    readClause(name.toString(), body);
                                }
                            });
            case null, default -> add(query);
        }
    }

    private void readClause(String name, Map<?, ?> body) {
        if (FIELD_QUERIES.containsKey(name)) {
            String key = FIELD_QUERIES.get(name);
            body.values().forEach(one -> add(one instanceof Map<?, ?> clause ? clause.get(key) : one));
        } else if (PLAIN_QUERIES.contains(name)) {
            add(body.get("query"));
        } else if (name.equals("retriever")) {
            read(body);
        }
        for (String inner : WRAPPERS.getOrDefault(name, List.of())) {
            read(body.get(inner));
        }
    }

    private void add(Object text) {
        if (text instanceof String words && !words.isBlank()) {
            texts.add(words.strip());
        }
    }
}
