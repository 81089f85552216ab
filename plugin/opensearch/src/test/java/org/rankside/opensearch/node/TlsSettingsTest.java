package org.rankside.opensearch.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;

class TlsSettingsTest {
    private static final String CERTIFICATE = "rankside.tls.certificate";
    private static final String KEY = "rankside.tls.key";
    private static final String AUTHORITIES = "rankside.tls.certificate_authorities";

    @TempDir private static Path home;
    private static Path config;

    @BeforeAll
    static void make() throws Exception {
        config = Files.createDirectories(home.resolve("config"));
        for (String name : new String[] {"own", "other"}) {
            Path store = home.resolve(name + ".p12");
            keytool(
                    "-genkeypair", "-alias", name, "-dname", "CN=" + name, "-keyalg", "EC",
                    "-keystore", store.toString(), "-storepass", "changeit");
            KeyStore keys = KeyStore.getInstance(store.toFile(), "changeit".toCharArray());
            write(name + ".pem", "CERTIFICATE", keys.getCertificate(name).getEncoded());
            write(name + ".key", "PRIVATE KEY", keys.getKey(name, "changeit".toCharArray()).getEncoded());
        }
    }

    @Test
    void withoutAnySettingItIsTheJdksOwn() {
        assertNull(TlsSettings.context(environment(Map.of())));
    }

    @Test
    void filesAreFoundBelowTheConfigurationFolder() {
        assertNotNull(
                TlsSettings.context(
                        environment(
                                Map.of(
                                        AUTHORITIES, "own.pem," + config.resolve("other.pem"),
                                        CERTIFICATE, "own.pem",
                                        KEY, "own.key"))));
    }

    @Test
    void authoritiesAloneWillDo() {
        assertNotNull(TlsSettings.context(environment(Map.of(AUTHORITIES, "own.pem"))));
    }

    @Test
    void aMissingFileIsNamedWithItsSetting() {
        assertRefused(
                Map.of(AUTHORITIES, "own.pem,none.pem"),
                AUTHORITIES + ": " + config.resolve("none.pem")
                        + " cannot be read (NoSuchFileException); check that it is there and whose it is");
    }

    @Test
    void aFileElsewhereIsRefusedEvenIfItIsThere() throws IOException {
        Path outside = Files.copy(config.resolve("own.pem"), home.resolve("outside.pem"));
        for (String path : new String[] {"../outside.pem", outside.toString()}) {
            assertRefused(
                    Map.of(AUTHORITIES, path),
                    AUTHORITIES + ": " + outside + " is not below " + config
                            + ", and no other file may be read; copy it there");
        }
    }

    @Test
    void aCertificateWithoutItsKeyIsRefusedAndAKeyWithoutItsCertificate() {
        String message =
                CERTIFICATE + " and " + KEY
                        + " belong together, and one is not set; set both or neither";
        assertRefused(Map.of(CERTIFICATE, "own.pem"), message);
        assertRefused(Map.of(KEY, "own.key", AUTHORITIES, "own.pem"), message);
    }

    @Test
    void aKeyOfAnotherCertificateIsRefused() {
        assertRefused(
                Map.of(CERTIFICATE, "own.pem", KEY, "other.key"),
                CERTIFICATE + " [own.pem] and " + KEY + " [other.key]: the key is not that of the"
                        + " certificate; give the two that were made together");
    }

    @Test
    void aCertificateInPlaceOfTheKeyIsRefused() {
        assertRefused(
                Map.of(CERTIFICATE, "own.pem", KEY, "own.pem"),
                KEY + ": " + config.resolve("own.pem")
                        + " has 0 private keys in it; give a PEM file with one");
    }

    private static void assertRefused(Map<String, String> settings, String message) {
        Environment environment = environment(settings);
        IllegalArgumentException error =
                assertThrows(
                        IllegalArgumentException.class, () -> NodeSettings.sidecar(environment));
        assertEquals(message, error.getMessage());
    }

    private static Environment environment(Map<String, String> settings) {
        Settings.Builder builder = Settings.builder().put("path.home", home.toString());
        settings.forEach(builder::put);
        return new Environment(builder.build(), config);
    }

    private static void write(String name, String label, byte[] bytes) throws IOException {
        String text = Base64.getMimeEncoder().encodeToString(bytes);
        Files.writeString(
                config.resolve(name),
                "-----BEGIN " + label + "-----\n" + text + "\n-----END " + label + "-----\n");
    }

    private static void keytool(String... arguments) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(new ArrayList<>(List.of(arguments))).redirectErrorStream(true);
        builder.command().addFirst(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
        Process keytool = builder.start();
        String said = new String(keytool.getInputStream().readAllBytes());
        if (keytool.waitFor() != 0) {
            throw new IllegalStateException(said);
        }
    }
}
