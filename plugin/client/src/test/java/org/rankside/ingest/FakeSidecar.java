package org.rankside.ingest;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.rankside.client.Json;
import org.rankside.client.Vectors;

/** A sidecar on a free port that embeds texts in three dimensions, and fails on demand. */
public final class FakeSidecar implements AutoCloseable {
    /** Of the model it serves. */
    public static final String FINGERPRINT = "f00d";

    /** What it does with the texts of a call. */
    public interface Behaviour {
        void answer(HttpExchange exchange, List<String> texts) throws IOException;
    }

    /** The texts of each call. */
    public final List<List<String>> calls = new CopyOnWriteArrayList<>();
    /** What each call had as its {@code Authorization}. */
    public final List<String> keys = new CopyOnWriteArrayList<>();
    /** Calls that were under way together. */
    public final AtomicInteger mostAtOnce = new AtomicInteger();
    /** What it does from now on. */
    public volatile Behaviour behaviour = (exchange, texts) -> say(exchange, 200, rows(texts));
    private final AtomicInteger atOnce = new AtomicInteger();
    private final CountDownLatch released = new CountDownLatch(1);
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Json json;
    private final HttpServer server;

    /**
     * @param json as the engine has it
     */
    public FakeSidecar(Json json) throws IOException {
        this.json = json;
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/v1/embeddings", this::embed);
        server.createContext("/v1/models", FakeSidecar::models);
        server.start();
    }

    /** Where it is. */
    public String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    /** Of a text. */
    public static float[] vector(String text) {
        return new float[] {text.length(), text.hashCode() % 7, 1f};
    }

    /** An answer's rows. */
    public static List<Map<String, Object>> rows(List<String> texts) {
        List<Map<String, Object>> rows = new ArrayList<>();
        for (String text : texts) {
            rows.add(Map.of("index", rows.size(), "embedding", Vectors.write(vector(text))));
        }
        return rows;
    }

    /** Answers a call. */
    public void say(HttpExchange exchange, int status, List<?> rows) throws IOException {
        byte[] bytes = json.write(Map.of("data", rows));
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    /** Answers with {@code status} a number of times, then as before. */
    public void refuses(int times, int status, String retryAfter) {
        AtomicInteger left = new AtomicInteger(times);
        Behaviour otherwise = behaviour;
        behaviour =
                (exchange, texts) -> {
                    if (left.getAndDecrement() > 0) {
                        exchange.getResponseHeaders().add("Retry-After", retryAfter);
                        say(exchange, status, List.of());
                    } else {
                        otherwise.answer(exchange, texts);
                    }
                };
    }

    /** Holds every call up until {@link #release}, and then answers. */
    public void holds() {
        Behaviour otherwise = behaviour;
        behaviour =
                (exchange, texts) -> {
                    try {
                        released.await();
                    } catch (InterruptedException error) {
                        Thread.currentThread().interrupt();
                    }
                    otherwise.answer(exchange, texts);
                };
    }

    /** Ends {@link #holds}. */
    public void release() {
        released.countDown();
    }

    private void embed(HttpExchange exchange) throws IOException {
        Map<String, Object> call = json.read(exchange.getRequestBody().readAllBytes());
        List<String> texts = ((List<?>) call.get("input")).stream().map(String::valueOf).toList();
        calls.add(texts);
        keys.add(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
        mostAtOnce.accumulateAndGet(atOnce.incrementAndGet(), Math::max);
        try (exchange) {
            if (FINGERPRINT.equals(call.get("vector_fingerprint"))) {
                behaviour.answer(exchange, texts);
            } else {
                say(exchange, 409, List.of());
            }
        } finally {
            atOnce.decrementAndGet();
        }
    }

    private static void models(HttpExchange exchange) throws IOException {
        String card =
                "{\"data\": [{\"id\": \"m\", \"kind\": \"encoder\", \"revision\": \"r\", \"fingerprint\":"
                        + " \"" + FINGERPRINT + "\", \"dimensions\": 3, \"prompt_hits\": 4,"
                        + " \"rocchio_hits\": 0, \"fusion\": null}]}";
        try (exchange) {
            exchange.sendResponseHeaders(200, card.length());
            exchange.getResponseBody().write(card.getBytes(StandardCharsets.UTF_8));
        }
    }

    @Override
    public void close() {
        release();
        server.stop(0);
        threads.shutdownNow();
    }
}
