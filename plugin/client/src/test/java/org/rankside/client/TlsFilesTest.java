package org.rankside.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TlsFilesTest {
    private static final String AUTHORITIES = "rankside.tls.certificate_authorities";
    private static final String CERTIFICATE = "rankside.tls.certificate";
    private static final String KEY = "rankside.tls.key";

    @TempDir private static Path home;
    private static Path config;

    @BeforeAll
    static void make() throws Exception {
        config = Files.createDirectories(home.resolve("config"));
        Certificates certificates = new Certificates(config);
        for (String name : List.of("client", "server")) {
            certificates.certificate(name);
            certificates.key(name);
        }
    }

    @Test
    void withoutAnyItIsTheJdksOwn() {
        assertNull(new TlsFiles(List.of(), "", "").context(config));
    }

    @Test
    void filesAreFoundBelowTheConfigurationFolder() {
        List<String> authorities = List.of("client.pem", config.resolve("server.pem").toString());
        assertNotNull(new TlsFiles(authorities, "client.pem", "client.key").context(config));
    }

    @Test
    void authoritiesAloneWillDo() {
        assertNotNull(new TlsFiles(List.of("client.pem"), "", "").context(config));
    }

    @Test
    void aMissingFileIsNamedWithItsSetting() {
        assertRefused(
                new TlsFiles(List.of("client.pem", "none.pem"), "", ""),
                AUTHORITIES + ": " + config.resolve("none.pem")
                        + " cannot be read (NoSuchFileException); check that it is there and whose it is");
    }

    @Test
    void aFileElsewhereIsRefusedEvenIfItIsThere() throws IOException {
        Path outside = Files.copy(config.resolve("client.pem"), home.resolve("outside.pem"));
        for (String path : new String[] {"../outside.pem", outside.toString()}) {
            assertRefused(
                    new TlsFiles(List.of(path), "", ""),
                    AUTHORITIES + ": " + outside + " is not below " + config
                            + ", and no other file may be read; copy it there");
        }
    }

    @Test
    void aCertificateWithoutItsKeyIsRefusedAndAKeyWithoutItsCertificate() {
        String message =
                CERTIFICATE + " and " + KEY
                        + " belong together, and one is not set; set both or neither";
        assertRefused(new TlsFiles(List.of(), "client.pem", ""), message);
        assertRefused(new TlsFiles(List.of("client.pem"), "", "client.key"), message);
    }

    @Test
    void aKeyOfAnotherCertificateIsRefused() {
        assertRefused(
                new TlsFiles(List.of(), "client.pem", "server.key"),
                CERTIFICATE + " [client.pem] and " + KEY + " [server.key]: the key is not that of the"
                        + " certificate; give the two that were made together");
    }

    @Test
    void aCertificateInPlaceOfTheKeyIsRefused() {
        assertRefused(
                new TlsFiles(List.of(), "client.pem", "client.pem"),
                KEY + ": " + config.resolve("client.pem")
                        + " has 0 private keys in it; give a PEM file with one");
    }

    private static void assertRefused(TlsFiles files, String message) {
        IllegalArgumentException error =
                assertThrows(IllegalArgumentException.class, () -> files.context(config));
        assertEquals(message, error.getMessage());
    }
}
