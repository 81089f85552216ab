package org.rankside.opensearch.search;

import java.net.URI;
import java.util.List;
import java.util.Map;
import org.opensearch.common.unit.TimeValue;
import org.rankside.client.SidecarSettings;

/**
 * How a search is reranked: a pipeline's word, overridden by the request's {@code ext.rankside}.
 *
 * <p>Null, an empty list and 0 mean that the query, the mapping's {@code _meta.rankside} or the model
 * says it.
 *
 * @param urls sidecars, tried in turn; only a pipeline names them, for a search could send passages
 *     anywhere otherwise
 * @param auth name of the key in the keystore
 * @param timeout for all that comes before the user's own request
 * @param queryTextPath where in the request the text to rank for is, as {@code query.match.title.query}
 */
record Parameters(
        List<URI> urls,
        String auth,
        Strategy strategy,
        int window,
        boolean exactWindow,
        int promptHits,
        List<String> textFields,
        String vectorField,
        String fingerprint,
        TimeValue timeout,
        OnFailure onFailure,
        Map<String, Double> fusion,
        String instruction,
        String queryText,
        String queryTextPath) {

    static final int MAX_WINDOW = 10_000;

    private static final Parameters DEFAULTS =
            new Parameters(
                    List.of(),
                    null,
                    Strategy.E2RANK,
                    100,
                    false,
                    0,
                    List.of(),
                    null,
                    null,
                    TimeValue.timeValueSeconds(1),
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
    static Parameters ofPipeline(Map<String, Object> config) {
        Values values = new Values(config);
        List<String> urls = values.texts("url", List.of());
        String auth = values.text("auth", null);
        return read(values, SidecarSettings.addresses(urls), auth, null, DEFAULTS);
    }

    /**
     * These, overridden by a request's.
     *
     * @throws IllegalArgumentException one is unknown, wrong, or not for a request to say
     */
    Parameters overridden(Map<String, Object> ext) {
        Values values = new Values(ext);
        String text = values.text("query_text", null);
        Parameters all = read(values, urls, auth, text, this);
        values.checkEmpty();
        return all;
    }

    private static Parameters read(
            Values values, List<URI> urls, String auth, String queryText, Parameters otherwise) {
        return new Parameters(
                urls,
                auth,
                values.choice("strategy", Strategy.class, otherwise.strategy),
                values.count("window", otherwise.window, MAX_WINDOW),
                values.flag("exact_window", otherwise.exactWindow),
                values.count("prompt_hits", otherwise.promptHits, MAX_WINDOW),
                values.texts("text_fields", otherwise.textFields),
                values.text("vector_field", otherwise.vectorField),
                values.text("fingerprint", otherwise.fingerprint),
                values.time("timeout", otherwise.timeout),
                values.choice("on_failure", OnFailure.class, otherwise.onFailure),
                values.weights("fusion", otherwise.fusion),
                values.text("instruction", otherwise.instruction),
                queryText,
                values.text("query_text_path", otherwise.queryTextPath));
    }
}
