package org.rankside.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsParameters;
import java.io.IOException;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class TlsTest {
    @TempDir private static Path folder;
    private static Certificates certificates;

    @BeforeAll
    static void make() throws Exception {
        certificates = new Certificates(folder);
    }

    @Test
    void aSidecarThatTheAuthoritySignedIsTrusted() throws Exception {
        try (Fake fake = sidecar("server", false)) {
            assertEquals("good", ask(fake, Tls.context(only("ca"), List.of(), null)));
        }
    }

    @Test
    void anyOfTheAuthoritiesWillDo() throws Exception {
        try (Fake fake = sidecar("server", false)) {
            List<X509Certificate> both = List.of(only("other").getFirst(), only("ca").getFirst());
            assertEquals("good", ask(fake, Tls.context(both, List.of(), null)));
        }
    }

    @Test
    void aSidecarOfAnotherAuthorityIsRefused() throws Exception {
        try (Fake fake = sidecar("server", false)) {
            assertRefused(fake, Tls.context(only("other"), List.of(), null), "certification path");
            assertEquals(List.of(), fake.asked);
        }
    }

    @Test
    void withoutAuthoritiesThoseOfTheJdkAreAsked() throws Exception {
        try (Fake fake = sidecar("server", false)) {
            assertRefused(fake, Tls.context(List.of(), List.of(), null), "certification path");
        }
    }

    @Test
    void aCertificateOfAnotherHostIsRefused() throws Exception {
        try (Fake fake = sidecar("elsewhere", false)) {
            assertRefused(
                    fake, Tls.context(only("ca"), List.of(), null), "No subject alternative names");
        }
    }

    @Test
    void aSidecarThatAsksWhoWeAreIsTold() throws Exception {
        try (Fake fake = sidecar("server", true)) {
            assertEquals("good", ask(fake, Tls.context(only("ca"), only("client"), key("client"))));
        }
    }

    @Test
    void whoDoesNotSayWhoHeIsIsRefusedByIt() throws Exception {
        try (Fake fake = sidecar("server", true)) {
            ExecutionException error =
                    assertThrows(
                            ExecutionException.class,
                            () -> ask(fake, Tls.context(only("ca"), List.of(), null)));
            SidecarException cause = assertInstanceOf(SidecarException.class, error.getCause());
            assertEquals(Reason.SIDECAR_UNAVAILABLE, cause.reason());
            assertEquals(List.of(), fake.asked);
        }
    }

    @Test
    void aKeyOfAnotherCertificateIsRefused() throws Exception {
        List<X509Certificate> chain = only("server");
        for (PrivateKey other : List.of(key("ca"), key("client"))) { // one EC, as it, and one RSA
            assertThrows(
                    IllegalArgumentException.class, () -> Tls.context(List.of(), chain, other));
        }
    }

    private static Fake sidecar(String alias, boolean asksWhoWeAre) throws Exception {
        HttpsConfigurator tls =
                new HttpsConfigurator(certificates.server(alias)) {
                    @Override
                    public void configure(HttpsParameters parameters) {
                        SSLParameters wanted = getSSLContext().getDefaultSSLParameters();
                        wanted.setNeedClientAuth(asksWhoWeAre);
                        parameters.setSSLParameters(wanted);
                    }
                };
        return new Fake(Fake.says(200, "good"), tls);
    }

    private static List<X509Certificate> only(String alias) throws Exception {
        return Pem.certificates(certificates.certificate(alias));
    }

    private static PrivateKey key(String alias) throws Exception {
        return Pem.key(certificates.key(alias));
    }

    private static String ask(Fake fake, SSLContext tls) throws Exception {
        SidecarSettings usual = SidecarSettings.DEFAULTS;
        SidecarSettings settings =
                new SidecarSettings(
                        Duration.ofSeconds(10), 1, usual.maxAnswerBytes(), usual.failures(),
                        usual.openFor(), usual.openForAtMost(), tls);
        try (Transport transport = new Transport(settings, Runnable::run, new Stats())) {
            return transport
                    .send(
                            Request.get(
                                    List.of(fake.address()),
                                    Models.PATH,
                                    null,
                                    Duration.ofSeconds(30),
                                    String::new))
                    .get();
        }
    }

    private static void assertRefused(Fake fake, SSLContext tls, String why) {
        ExecutionException error =
                assertThrows(ExecutionException.class, () -> ask(fake, tls));
        String message = error.getCause().getMessage();
        assertTrue(message.startsWith("the sidecar at " + fake.address() + " cannot be"), message);
        assertTrue(message.contains(why), message);
        assertInstanceOf(IOException.class, error.getCause().getCause());
    }
}
