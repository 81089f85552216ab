package org.rankside.client;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * {@code GET /v1/models}: what runs in a sidecar.
 *
 * @param llm null where InsertRank is off
 */
public record Models(Card encoder, Card llm) {
    /** Where it is, below an address. */
    public static final String PATH = "/v1/models";

    /**
     * What a caller needs to know of a model to build a request.
     *
     * @param kind encoder or llm
     * @param fingerprint of the vectors it makes; empty for an LLM
     * @param dimensions of the vectors it makes; 0 for an LLM
     * @param promptHits how many hits enter its prompt
     * @param rocchioHits how many hits' vectors Rocchio takes the mean of; 0 where it is not used
     * @param fusion its weights by signal, or null
     */
    public record Card(
            String id,
            String kind,
            String revision,
            String fingerprint,
            int dimensions,
            int promptHits,
            int rocchioHits,
            Map<String, Double> fusion) {}

    /**
     * The models in a JSON object, the first of each kind.
     *
     * @throws IOException something is missing or of a wrong type, or there is no encoder
     */
    public static Models read(Map<String, Object> answer) throws IOException {
        Map<String, Card> byKind = new LinkedHashMap<>();
        for (Object model : new Fields(answer).list("data")) {
            Card card = card(Fields.object("data", model));
            byKind.putIfAbsent(card.kind, card);
        }
        if (!byKind.containsKey("encoder")) {
            throw new IOException("it lists no encoder");
        }
        return new Models(byKind.get("encoder"), byKind.get("llm"));
    }

    private static Card card(Fields model) throws IOException {
        return new Card(
                model.text("id"),
                model.text("kind"),
                model.text("revision"),
                model.text("fingerprint"),
                model.count("dimensions"),
                model.count("prompt_hits"),
                model.count("rocchio_hits"),
                model.all().get("fusion") == null ? null : weights(model.object("fusion")));
    }

    private static Map<String, Double> weights(Fields fusion) throws IOException {
        Map<String, Double> weights = new LinkedHashMap<>();
        for (String signal : fusion.all().keySet()) {
            weights.put(signal, fusion.number(signal));
        }
        return Map.copyOf(weights);
    }
}
