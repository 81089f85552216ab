package org.rankside.opensearch.node;

import java.io.IOException;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import javax.net.ssl.SSLContext;
import org.opensearch.common.settings.Setting;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.rankside.client.Pem;
import org.rankside.client.Tls;

/** PEM files for the way to the sidecar, all below the engine's configuration folder. */
final class TlsSettings {
    static final Setting<List<String>> AUTHORITIES =
            Setting.listSetting(
                    "rankside.tls.certificate_authorities",
                    List.of(),
                    Function.identity(),
                    Setting.Property.NodeScope);

    static final Setting<String> CERTIFICATE =
            Setting.simpleString("rankside.tls.certificate", Setting.Property.NodeScope);

    static final Setting<String> KEY =
            Setting.simpleString("rankside.tls.key", Setting.Property.NodeScope);

    private final Settings settings;
    private final Path config;

    private TlsSettings(Environment environment) {
        this.settings = environment.settings();
        this.config = environment.configDir().toAbsolutePath().normalize();
    }

    /** Reads a file. */
    @FunctionalInterface
    private interface Reader<T> {
        T read(Path file) throws IOException;
    }

    /**
     * What the settings make; null where none is set: the JDK's own.
     *
     * @throws IllegalArgumentException a file cannot be used; the message names setting and file
     */
    static SSLContext context(Environment environment) {
        return new TlsSettings(environment).context();
    }

    private SSLContext context() {
        boolean shown = !CERTIFICATE.get(settings).isEmpty();
        if (shown == KEY.get(settings).isEmpty()) {
            throw new IllegalArgumentException(
                    CERTIFICATE.getKey() + " and " + KEY.getKey()
                            + " belong together, and one is not set; set both or neither");
        }
        if (!shown && AUTHORITIES.get(settings).isEmpty()) {
            return null;
        }
        List<X509Certificate> authorities = new ArrayList<>();
        for (String path : AUTHORITIES.get(settings)) {
            authorities.addAll(read(AUTHORITIES, path, Pem::certificates));
        }
        List<X509Certificate> chain =
                shown ? read(CERTIFICATE, CERTIFICATE.get(settings), Pem::certificates) : List.of();
        PrivateKey key = shown ? read(KEY, KEY.get(settings), Pem::key) : null;
        try {
            return Tls.context(authorities, chain, key);
        } catch (IllegalArgumentException error) {
            throw new IllegalArgumentException(
                    CERTIFICATE.getKey() + " [" + CERTIFICATE.get(settings) + "] and " + KEY.getKey()
                            + " [" + KEY.get(settings) + "]: " + error.getMessage(),
                    error);
        }
    }

    private <T> T read(Setting<?> setting, String path, Reader<T> reader) {
        Path file = config.resolve(path).normalize();
        if (!file.startsWith(config)) { // the security manager's agent would not let us read it
            throw new IllegalArgumentException(
                    setting.getKey() + ": " + file + " is not below " + config
                            + ", and no other file may be read; copy it there");
        }
        try {
            return reader.read(file);
        } catch (IOException error) {
            throw new IllegalArgumentException(setting.getKey() + ": " + error.getMessage(), error);
        }
    }
}
