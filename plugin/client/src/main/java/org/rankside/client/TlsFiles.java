package org.rankside.client;

import java.io.IOException;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLContext;

/**
 * PEM files for the way to the sidecar, all below the engine's configuration folder.
 *
 * @param authorities who may have signed a sidecar's certificate; empty: those the JDK trusts
 * @param certificate that the node shows; empty: none
 * @param key of that certificate; empty where there is none
 */
public record TlsFiles(List<String> authorities, String certificate, String key) {
    /** Names of the settings, in both engines. */
    public static final String AUTHORITIES = "rankside.tls.certificate_authorities";

    /** As {@link #AUTHORITIES}. */
    public static final String CERTIFICATE = "rankside.tls.certificate";

    /** As {@link #AUTHORITIES}. */
    public static final String KEY = "rankside.tls.key";

    /** Reads a file. */
    @FunctionalInterface
    private interface Reader<T> {
        T read(Path file) throws IOException;
    }

    /**
     * What the files make; null where none is named: the JDK's own.
     *
     * @param folder the engine's, that relative names are below
     * @throws IllegalArgumentException a file cannot be used; the message names setting and file
     */
    public SSLContext context(Path folder) {
        boolean shown = !certificate.isEmpty();
        if (shown == key.isEmpty()) {
            throw new IllegalArgumentException(
                    CERTIFICATE + " and " + KEY
                            + " belong together, and one is not set; set both or neither");
        }
        if (!shown && authorities.isEmpty()) {
            return null;
        }
        Path config = folder.toAbsolutePath().normalize();
        List<X509Certificate> trusted = new ArrayList<>();
        for (String path : authorities) {
            trusted.addAll(read(config, AUTHORITIES, path, Pem::certificates));
        }
        List<X509Certificate> chain =
                shown ? read(config, CERTIFICATE, certificate, Pem::certificates) : List.of();
        PrivateKey own = shown ? read(config, KEY, key, Pem::key) : null;
        try {
            return Tls.context(trusted, chain, own);
        } catch (IllegalArgumentException error) {
            throw new IllegalArgumentException(
                    CERTIFICATE + " [" + certificate + "] and " + KEY + " [" + key + "]: "
                            + error.getMessage(),
                    error);
        }
    }

    private static <T> T read(Path config, String setting, String path, Reader<T> reader) {
        Path file = config.resolve(path).normalize();
        if (!file.startsWith(config)) { // the engines would not let us read it
            throw new IllegalArgumentException(
                    setting + ": " + file + " is not below " + config
                            + ", and no other file may be read; copy it there");
        }
        try {
            return reader.read(file);
        } catch (IOException error) {
            throw new IllegalArgumentException(setting + ": " + error.getMessage(), error);
        }
    }
}
