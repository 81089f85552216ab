package org.rankside.search;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.rankside.client.SidecarSettings;

/**
 * How a search is reranked: a pipeline's word, overridden by the request's {@code ext.rankside}, or a
 * retriever's.
 *
 * <p>Null, an empty list and 0 mean that the query, the mapping's {@code _meta.rankside} or the model
 * says it.
 *
 * @param urls sidecars, tried in turn; only a pipeline or the node names them, for a search could send
 *     passages anywhere otherwise
 * @param auth name of the key in the keystore
 * @param head how many of a cascade's first hits an LLM puts in order
 * @param timeout for all that comes before the user's own request
 * @param llmTimeout of that, the most that an LLM may take; null: all of it
 * @param queryTextPath where in the request the text to rank for is, as {@code query.match.title.query}
 */
public record Parameters(
        List<URI> urls,
        String auth,
        Strategy strategy,
        int window,
        boolean exactWindow,
        int promptHits,
        int head,
        List<String> textFields,
        String vectorField,
        String fingerprint,
        Duration timeout,
        Duration llmTimeout,
        OnFailure onFailure,
        Map<String, Double> fusion,
        String instruction,
        String queryText,
        String queryTextPath) {

    private static final int MAX_WINDOW = 10_000;

    private static final Parameters DEFAULTS =
            new Parameters(
                    List.of(),
                    null,
                    Strategy.E2RANK,
                    100,
                    false,
                    0,
                    0,
                    List.of(),
                    null,
                    null,
                    Duration.ofSeconds(1),
                    null,
                    OnFailure.PASS_THROUGH,
                    null,
                    null,
                    null,
                    null);

    /**
     * A pipeline's parameters; what is taken is removed from {@code config}.
     *
     * @throws IllegalArgumentException one is missing or wrong
     */
    public static Parameters ofPipeline(Map<String, Object> config) {
        Values values = new Values(config);
        List<String> urls = values.texts("url", List.of());
        String auth = values.text("auth", null);
        Parameters defaults = DEFAULTS.at(SidecarSettings.addresses(urls), auth);
        return defaults.read(values, null);
    }

    /**
     * Those of a node, which names the sidecars itself, overridden by a search's.
     *
     * @param names of parameters that this engine calls otherwise, by ours
     * @throws IllegalArgumentException one is unknown or wrong
     */
    public static Parameters ofSearch(
            List<URI> urls, String auth, Map<String, Object> said, Map<String, String> names) {
        return DEFAULTS.at(urls, auth).overridden(new Values(said, names));
    }

    /**
     * These, overridden by a request's.
     *
     * @throws IllegalArgumentException one is unknown, wrong, or not for a request to say
     */
    public Parameters overridden(Map<String, Object> ext) {
        return overridden(new Values(ext));
    }

    private Parameters overridden(Values values) {
        Parameters all = read(values, values.text("query_text", null));
        values.checkEmpty();
        return all;
    }

    private Parameters at(List<URI> others, String key) {
        return new Parameters(
                others,
                key,
                strategy,
                window,
                exactWindow,
                promptHits,
                head,
                textFields,
                vectorField,
                fingerprint,
                timeout,
                llmTimeout,
                onFailure,
                fusion,
                instruction,
                queryText,
                queryTextPath);
    }

    private Parameters read(Values values, String text) {
        return new Parameters(
                urls,
                auth,
                values.choice("strategy", Strategy.class, strategy),
                values.count("window", window, MAX_WINDOW),
                values.flag("exact_window", exactWindow),
                values.count("prompt_hits", promptHits, MAX_WINDOW),
                values.count("head", head, MAX_WINDOW),
                values.texts("text_fields", textFields),
                values.text("vector_field", vectorField),
                values.text("fingerprint", fingerprint),
                values.time("timeout", timeout),
                values.time("llm_timeout", llmTimeout),
                values.choice("on_failure", OnFailure.class, onFailure),
                values.weights("fusion", fusion),
                values.text("instruction", instruction),
                text,
                values.text("query_text_path", queryTextPath));
    }
}
