package org.rankside.client;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** A sidecar on a free port that fails on demand; for the engines' tests too. */
public final class Fake implements AutoCloseable {
    /** What it does with a request. */
    public interface Behaviour {
        void answer(HttpExchange exchange) throws IOException;
    }

    public final List<String> asked = new CopyOnWriteArrayList<>();
    public final List<String> bodies = new CopyOnWriteArrayList<>();
    public final List<String> keys = new CopyOnWriteArrayList<>();
    private final CountDownLatch hung = new CountDownLatch(1);
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final HttpServer server;
    private final String scheme;
    public volatile Behaviour behaviour;

    public Fake(Behaviour behaviour) throws IOException {
        this(behaviour, HttpServer.create(), "http");
    }

    /** One that speaks TLS. */
    Fake(Behaviour behaviour, HttpsConfigurator tls) throws IOException {
        this(behaviour, configured(HttpsServer.create(), tls), "https");
    }

    private Fake(Behaviour behaviour, HttpServer server, String scheme) throws IOException {
        this.behaviour = behaviour;
        this.server = server;
        this.scheme = scheme;
        server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    public URI address() {
        return URI.create(scheme + "://127.0.0.1:" + server.getAddress().getPort());
    }

    public static Behaviour says(int status, String body) {
        return says(status, body, null);
    }

    static Behaviour says(int status, String body, String retryAfter) {
        return exchange -> {
            if (retryAfter != null) {
                exchange.getResponseHeaders().add("Retry-After", retryAfter);
            }
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(status, bytes.length);
            exchange.getResponseBody().write(bytes);
        };
    }

    /** Reads and never answers, until it is closed. */
    public Behaviour hangs() {
        return exchange -> {
            try {
                hung.await();
            } catch (InterruptedException error) {
                Thread.currentThread().interrupt();
            }
        };
    }

    /** Cuts the connection of every n-th request, from the first on. */
    Behaviour cutsEvery(int n, Behaviour otherwise) {
        return exchange -> {
            if (bodies.size() % n == 1 % n) {
                throw new IOException("cut");
            }
            otherwise.answer(exchange);
        };
    }

    /** An address where nothing listens. */
    public static URI nowhere() throws IOException {
        try (Fake closed = new Fake(says(200, "{}"))) {
            return closed.address();
        }
    }

    private static HttpServer configured(HttpsServer server, HttpsConfigurator tls) {
        server.setHttpsConfigurator(tls);
        return server;
    }

    private void handle(HttpExchange exchange) throws IOException {
        asked.add(exchange.getRequestMethod() + " " + exchange.getRequestURI());
        bodies.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
        keys.add(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
        try (exchange) {
            behaviour.answer(exchange);
        }
    }

    @Override
    public void close() {
        hung.countDown();
        server.stop(0);
        threads.shutdownNow();
    }
}
