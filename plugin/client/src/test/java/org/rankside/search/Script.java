package org.rankside.search;

import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.rankside.client.Fake;
import org.rankside.client.Json;
import org.rankside.client.Listwise;
import org.rankside.client.Models;
import org.rankside.client.Rank;
import org.rankside.client.Vectors;

/** What a sidecar says, call by call; JSON in single quotes. */
public final class Script implements Fake.Behaviour {
    public static final String ENCODER =
            "{'id': 'm', 'kind': 'encoder', 'revision': 'r', 'fingerprint': 'f', 'dimensions': 2,"
                    + " 'prompt_hits': 3, 'rocchio_hits': 2, 'fusion': null}";
    public static final String LLM =
            "{'id': 'l', 'kind': 'llm', 'revision': '', 'fingerprint': '', 'dimensions': 0,"
                    + " 'prompt_hits': 4, 'rocchio_hits': 0, 'fusion': null}";
    public static final String VECTOR =
            "{'vector': '" + Vectors.write(new float[] {3, 4}) + "', 'first_stage_weight': 0.25,"
                    + " 'status': 'reranked', 'reason': null, 'signals': {'listwise': 1.0},"
                    + " 'model': {'name': 'm', 'revision': 'r', 'fingerprint': 'f'},"
                    + " 'timings_ms': {'total': 2.5}, 'usage': {}}";

    /** The models' cards. */
    public String models = ENCODER + ", " + LLM;
    /** The answer to a listwise call. */
    public String listwise = VECTOR;
    /** Which of the hits of a rank call come first, by their place in the call; the others follow. */
    public List<Integer> first = List.of();
    public String rankStatus = "'reranked', 'reason': null";
    /** Other than 200: all that a rank call brings. */
    public int rankCode = 200;
    public final List<Map<String, Object>> listwiseCalls = new ArrayList<>();
    public final List<Map<String, Object>> rankCalls = new ArrayList<>();
    private final Json json;
    private Fake fake;

    /** In an engine's JSON. */
    public Script(Json json) {
        this.json = json;
    }

    /** The sidecar that says it. */
    public Fake start() throws IOException {
        fake = new Fake(this);
        return fake;
    }

    @Override
    public synchronized void answer(HttpExchange exchange) throws IOException {
        switch (exchange.getRequestURI().getPath()) {
            case Models.PATH -> say(exchange, 200, "{'data': [" + models + "]}");
            case Listwise.PATH -> {
                listwiseCalls.add(call());
                say(exchange, 200, listwise);
            }
            case Rank.PATH -> {
                rankCalls.add(call());
                say(exchange, rankCode, rankCode == 200 ? order(rankCalls.getLast()) : "{}");
            }
            default -> say(exchange, 404, "{}");
        }
    }

    /** The call that is being answered: no search of these tests makes two at once. */
    private Map<String, Object> call() throws IOException {
        return json.read(fake.bodies.getLast().getBytes(StandardCharsets.UTF_8));
    }

    private String order(Map<String, Object> call) {
        List<Object> ids = new ArrayList<>();
        ((List<?>) call.get("hits")).forEach(hit -> ids.add(((Map<?, ?>) hit).get("id")));
        List<Object> ordered = new ArrayList<>(first.stream().map(ids::get).toList());
        ids.removeAll(ordered);
        ordered.addAll(ids);
        String results =
                ordered.stream().map(id -> "{'id': '" + id + "'}").collect(Collectors.joining(", "));
        return "{'results': [" + results + "], 'status': " + rankStatus
                + ", 'model': null, 'timings_ms': {'total': 40.0}, 'usage': {}}";
    }

    private static void say(HttpExchange exchange, int status, String json) throws IOException {
        Fake.says(status, json.replace('\'', '"')).answer(exchange);
    }
}
