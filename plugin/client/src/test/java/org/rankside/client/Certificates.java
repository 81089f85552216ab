package org.rankside.client;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** Certificates made by the JDK's keytool: an authority, whom it signed, and one it does not know. */
final class Certificates {
    private static final String PASSWORD = "changeit";

    private final Path folder;
    private final Path store;
    private final KeyStore keys;

    Certificates(Path folder) throws Exception {
        this.folder = folder;
        store = folder.resolve("certificates.p12");
        make("ca", "EC", "bc:critical=ca:true");
        make("other", "EC", "bc:critical=ca:true");
        make("server", "EC", "san=ip:127.0.0.1", "-signer", "ca");
        make("elsewhere", "EC", "san=dns:elsewhere.example", "-signer", "ca");
        make("client", "RSA", "eku=clientAuth", "-signer", "ca");
        keys = KeyStore.getInstance(store.toFile(), PASSWORD.toCharArray());
    }

    /** A PEM file of this one's certificate. */
    Path certificate(String alias) throws Exception {
        return write(alias + ".pem", "CERTIFICATE", keys.getCertificate(alias).getEncoded());
    }

    /** A PEM file of this one's key. */
    Path key(String alias) throws Exception {
        return write(alias + ".key", "PRIVATE KEY", entry(alias).getEncoded());
    }

    /** A file with this text in it. */
    Path write(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    /** What a server of this name needs; it trusts the authority. */
    SSLContext server(String alias) throws Exception {
        KeyStore own = KeyStore.getInstance("PKCS12");
        own.load(null, null);
        own.setKeyEntry(
                "own", entry(alias), new char[0], new Certificate[] {keys.getCertificate(alias)});
        KeyManagerFactory shown = KeyManagerFactory.getInstance("PKIX");
        shown.init(own, new char[0]);
        KeyStore authorities = KeyStore.getInstance("PKCS12");
        authorities.load(null, null);
        authorities.setCertificateEntry("ca", keys.getCertificate("ca"));
        TrustManagerFactory trusted = TrustManagerFactory.getInstance("PKIX");
        trusted.init(authorities);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(shown.getKeyManagers(), trusted.getTrustManagers(), null);
        return context;
    }

    private Key entry(String alias) throws GeneralSecurityException {
        return keys.getKey(alias, PASSWORD.toCharArray());
    }

    private Path write(String name, String label, byte[] bytes) throws IOException {
        String text = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(bytes);
        return write(
                name, "-----BEGIN " + label + "-----\n" + text + "\n-----END " + label + "-----\n");
    }

    private void make(String alias, String algorithm, String extension, String... more)
            throws IOException, InterruptedException {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                                "-genkeypair", "-alias", alias, "-dname", "CN=" + alias,
                                "-keyalg", algorithm, "-ext", extension, "-validity", "2",
                                "-keystore", store.toString(), "-storepass", PASSWORD));
        command.addAll(List.of(more));
        Process keytool = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(keytool.getInputStream().readAllBytes());
        if (keytool.waitFor() != 0) {
            throw new IllegalStateException(said);
        }
    }
}
