package org.rankside.opensearch.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;

class NodeSettingsTest {
    @TempDir private Path home;

    @Test
    void filesAreThoseOfTheConfigurationFolder() {
        assertNotThere(Map.of("certificate_authorities", "none.pem"), "certificate_authorities");
        assertNotThere(Map.of("certificate", "none.pem", "key", "none.key"), "certificate");
    }

    private void assertNotThere(Map<String, String> tls, String named) {
        Settings.Builder builder = Settings.builder().put("path.home", home.toString());
        tls.forEach((name, value) -> builder.put("rankside.tls." + name, value));
        Environment environment = new Environment(builder.build(), home);
        IllegalArgumentException error =
                assertThrows(
                        IllegalArgumentException.class,
                        () -> NodeSettings.sidecars(environment, Runnable::run));
        assertEquals(
                "rankside.tls." + named + ": " + home.resolve("none.pem")
                        + " cannot be read (NoSuchFileException); check that it is there and whose it is",
                error.getMessage());
    }
}
