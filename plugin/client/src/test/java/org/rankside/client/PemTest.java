package org.rankside.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PemTest {
    @TempDir private static Path folder;
    private static Certificates certificates;

    @BeforeAll
    static void make() throws Exception {
        certificates = new Certificates(folder);
    }

    @Test
    void allCertificatesOfAFileAreReadWhateverStandsBetweenThem() throws Exception {
        String first = Files.readString(certificates.certificate("client"));
        String second = Files.readString(certificates.certificate("ca"));
        Path file = certificates.write("chain.pem", "ours:\n" + first + "signed by:\r\n" + second);
        assertEquals(
                List.of("CN=client", "CN=ca"),
                Pem.certificates(file).stream()
                        .map(one -> one.getSubjectX500Principal().getName())
                        .toList());
    }

    @ParameterizedTest
    @CsvSource({"ca, EC", "client, RSA"})
    void aKeyIsReadWhicheverOfTheTwoKindsItIs(String alias, String algorithm) throws Exception {
        assertEquals(algorithm, Pem.key(certificates.key(alias)).getAlgorithm());
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '`',
            delimiter = '|',
            textBlock =
                    """
                    ENCRYPTED PRIVATE KEY | MIIC                              | is encrypted
                    RSA PRIVATE KEY       | Proc-Type: 4,ENCRYPTED\\nMIIC     | is encrypted
                    RSA PRIVATE KEY       | MIIC                              | is not PKCS#8 but RSA
                    EC PRIVATE KEY        | MIIC                              | is not PKCS#8 but EC
                    PRIVATE KEY           | MIIC                              | neither RSA nor EC
                    CERTIFICATE           | MIIC                              | has 0 private keys
                    """)
    void aKeyOfAnotherKindIsRefusedWithTheRemedy(String label, String text, String message)
            throws IOException {
        Path file = block("bad.key", label, text.replace("\\n", "\n"));
        IOException error = assertThrows(IOException.class, () -> Pem.key(file));
        assertSentence(file, message, error);
    }

    @Test
    void twoKeysAreOneTooMany() throws Exception {
        String key = Files.readString(certificates.key("ca"));
        Path file = certificates.write("two.key", key + key);
        assertSentence(
                file, "has 2 private keys", assertThrows(IOException.class, () -> Pem.key(file)));
    }

    @ParameterizedTest
    @CsvSource({
        "CERTIFICATE, MIIC, cannot be read", "CERTIFICATE, M, cannot be read",
        "PRIVATE KEY, MIIC, has no certificate"
    })
    void whatIsNoCertificateIsRefused(String label, String text, String message) throws IOException {
        Path file = block("bad.pem", label, text);
        IOException error = assertThrows(IOException.class, () -> Pem.certificates(file));
        assertSentence(file, message, error);
    }

    @Test
    void whatIsNotThereOrNotPemIsRefused() {
        Path missing = folder.resolve("missing.pem");
        assertSentence(
                missing,
                "cannot be read (NoSuchFileException)",
                assertThrows(IOException.class, () -> Pem.certificates(missing)));
        Path store = folder.resolve("certificates.p12");
        assertSentence(
                store,
                "has no certificate",
                assertThrows(IOException.class, () -> Pem.certificates(store)));
    }

    private static Path block(String name, String label, String text) throws IOException {
        return certificates.write(
                name, "-----BEGIN " + label + "-----\n" + text + "\n-----END " + label + "-----\n");
    }

    private static void assertSentence(Path file, String part, IOException error) {
        String message = error.getMessage();
        assertTrue(message.startsWith(file + " "), message);
        assertTrue(message.contains(part), message);
        assertTrue(message.contains("; "), message);
    }
}
