package org.rankside.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class SidecarsTest {
    private static final Duration LONG = Duration.ofSeconds(20);
    private static final String PATH = "/v1/listwise";

    private final SidecarSettings settings =
            new SidecarSettings(
                    Duration.ofSeconds(5), 1, 2000, 1,
                    Duration.ofMinutes(1), Duration.ofMinutes(1), null);
    private final Json none = null; // no model's card is read here
    private final Sidecars sidecars =
            new Sidecars(settings, none, Runnable::run, Map.of("books", "secret"), "the-tool");
    private Fake fake;

    @BeforeEach
    void open() throws IOException {
        fake = new Fake(Fake.says(200, "good"));
    }

    @AfterEach
    void close() {
        sidecars.close();
        fake.close();
    }

    @Test
    void aCallCarriesTheKeyThatItNamesAndNoneWhereItNamesNone() {
        send("books").join();
        send(null).join();
        embed("books").join();
        assertEquals(List.of("Bearer secret", "null", "Bearer secret"), fake.keys);
    }

    @Test
    void aKeyThatIsNotThereIsNamedWithTheToolThatAddsIt() {
        sidecars.requireKey("books");
        sidecars.requireKey(null);
        IllegalArgumentException error =
                assertThrows(IllegalArgumentException.class, () -> sidecars.requireKey("films"));
        assertEquals(
                "the keystore has no rankside.auth.films.key; add it with the-tool on every node and"
                        + " restart them",
                error.getMessage());
    }

    @Test
    void documentsDoNotTakeThePlacesOfSearches() {
        Fake.Behaviour hangs = fake.hangs();
        Fake.Behaviour answers = Fake.says(200, "good");
        fake.behaviour =
                exchange -> (exchange.getRequestURI().getPath().equals(PATH) ? answers : hangs).answer(exchange);
        CompletableFuture<String> document = embed(null);
        assertEquals("good", send(null).join());
        assertEquals(0, sidecars.state().inFlight());
        assertEquals(1, sidecars.state().documents().inFlight());
        assertEquals(1, sidecars.state().maxInFlight());
        document.cancel(true);
        assertEquals(0, sidecars.state().documents().inFlight());
    }

    @Test
    void documentsThatFailDoNotOpenTheCircuitOfSearches() {
        fake.behaviour = Fake.says(500, "broken");
        assertThrows(CompletionException.class, () -> embed(null).join());
        fake.behaviour = Fake.says(200, "good");
        assertEquals("good", send(null).join());
        String address = fake.address().toString();
        assertEquals(Map.of(address, "closed"), sidecars.state().circuits());
        assertEquals(Map.of(address, "open"), sidecars.state().documents().circuits());
        assertEquals(
                Map.of("answered", 1L), sidecars.state().counts().calls().get("listwise"));
    }

    private CompletableFuture<String> send(String auth) {
        return sidecars.send(addresses(), auth, PATH, new byte[0], LONG, SidecarsTest::text);
    }

    private CompletableFuture<String> embed(String auth) {
        return sidecars.sendDocuments(
                addresses(), auth, "/v1/embeddings", new byte[0], LONG, SidecarsTest::text);
    }

    private List<URI> addresses() {
        return List.of(fake.address());
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
