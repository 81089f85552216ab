package rankside.local;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.elasticsearch.bootstrap.ServerArgs;
import org.elasticsearch.common.io.stream.OutputStreamStreamOutput;
import org.elasticsearch.common.settings.KeyStoreWrapper;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.InternalSettingsPreparer;

/**
 * Writes the message that the server process reads from its standard input, as the {@code elasticsearch} command
 * would: {@code ServerArgsWriter HOME CONFIG LOGS NODE_NAME FILE}. All other settings are in elasticsearch.yml.
 */
public final class ServerArgsWriter {

    private ServerArgsWriter() {}

    public static void main(String[] words) throws Exception {
        Path config = Path.of(words[1]);
        Path logs = Path.of(words[2]);
        Settings given = Settings.builder().put("path.home", words[0]).put("path.logs", words[2]).build();
        Environment environment = InternalSettingsPreparer.prepareEnvironment(given, Map.of(), config, () -> words[3]);
        // Daemonized, because a server in the foreground ends when its standard input does.
        boolean daemonize = true;
        boolean quiet = false;
        write(
            new ServerArgs(daemonize, quiet, null, keystore(config), environment.settings(), config, logs),
            Path.of(words[4])
        );
    }

    /** The server gets its secrets from this message alone. */
    private static KeyStoreWrapper keystore(Path config) throws Exception {
        KeyStoreWrapper keystore = KeyStoreWrapper.load(config);
        if (keystore == null) {
            return KeyStoreWrapper.create();
        }
        char[] noPassword = new char[0];
        keystore.decrypt(noPassword);
        return keystore;
    }

    private static void write(ServerArgs message, Path file) throws IOException {
        try (var out = new OutputStreamStreamOutput(Files.newOutputStream(file))) {
            message.writeTo(out);
        }
    }
}
