package org.rankside.elasticsearch.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.elasticsearch.common.settings.KeyStoreWrapper;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.rankside.client.Fake;

@Timeout(30)
class NodeSettingsTest {
    @TempDir private Path home;

    @Test
    void withoutAnAddressTheNodeHasNoSidecar() {
        NodeSidecar sidecar = NodeSettings.sidecar(environment(settings()), Runnable::run);
        assertFalse(sidecar.isSet());
        assertNull(sidecar.auth());
        assertEquals(64, sidecar.sidecars().state().maxInFlight());
        sidecar.sidecars().close();
    }

    @Test
    void theKeyOfTheKeystoreIsSentToTheAddress() throws IOException {
        KeyStoreWrapper keystore = KeyStoreWrapper.create();
        keystore.setString("rankside.sidecar.api_key", "secret".toCharArray());
        try (Fake fake = new Fake(Fake.says(200, "{}"))) {
            Settings.Builder settings = settings().put("rankside.sidecar.url", fake.address() + "/");
            Environment environment = environment(settings.setSecureSettings(keystore));
            NodeSidecar sidecar = NodeSettings.sidecar(environment, Runnable::run);
            assertTrue(sidecar.isSet());
            sidecar.sidecars()
                    .send(
                            sidecar.urls(),
                            sidecar.auth(),
                            "/v1/listwise",
                            new byte[0],
                            Duration.ofSeconds(20),
                            answer -> answer)
                    .join();
            assertEquals(List.of("Bearer secret"), fake.keys);
            sidecar.sidecars().close();
        }
    }

    @Test
    void severalAddressesKeepTheirOrder() {
        Settings.Builder settings =
                settings().putList("rankside.sidecar.url", "http://b:1", "http://a:1", "http://b:1/");
        NodeSidecar sidecar = NodeSettings.sidecar(environment(settings), Runnable::run);
        assertEquals(
                List.of(URI.create("http://b:1"), URI.create("http://a:1")), sidecar.urls());
        sidecar.sidecars().close();
    }

    @ParameterizedTest
    @CsvSource({
        "ftp://a:1, 'url [ftp://a:1] is not like http://127.0.0.1:8080'",
        "http://u:p@a:1, url has credentials in it; a key belongs in the engine's keystore",
    })
    void anAddressThatIsNoneIsNamedWithItsSetting(String url, String why) {
        assertRefused(Map.of("sidecar.url", url), "rankside.sidecar.url: " + why);
    }

    @Test
    void filesAreThoseOfTheConfigurationFolder() {
        String missing =
                ": " + home.resolve("none.pem")
                        + " cannot be read (NoSuchFileException); check that it is there and whose it is";
        assertRefused(
                Map.of("tls.certificate_authorities", "none.pem"),
                "rankside.tls.certificate_authorities" + missing);
        assertRefused(
                Map.of("tls.certificate", "none.pem", "tls.key", "none.key"),
                "rankside.tls.certificate" + missing);
    }

    @Test
    void everySettingIsKnownToTheEngineOnce() {
        List<String> names = NodeSettings.all().stream().map(one -> one.getKey()).toList();
        assertEquals(12, names.stream().distinct().count());
        assertTrue(names.stream().allMatch(name -> name.startsWith("rankside.")));
    }

    private void assertRefused(Map<String, String> given, String message) {
        Settings.Builder settings = settings();
        given.forEach((name, value) -> settings.put("rankside." + name, value));
        Environment environment = environment(settings);
        IllegalArgumentException error =
                assertThrows(
                        IllegalArgumentException.class,
                        () -> NodeSettings.sidecar(environment, Runnable::run));
        assertEquals(message, error.getMessage());
    }

    private Settings.Builder settings() {
        return Settings.builder().put("path.home", home.toString());
    }

    private Environment environment(Settings.Builder settings) {
        return new Environment(settings.build(), home);
    }
}
