package rankside.local.elasticsearch;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.elasticsearch.common.settings.KeyStoreWrapper;

/**
 * Writes a node's keystore, as {@code elasticsearch-keystore add --stdin} would: {@code KeystoreWriter CONFIG}. Reads
 * one {@code name=value} a line from standard input, where no other process of the machine sees it.
 */
public final class KeystoreWriter {

    private KeystoreWriter() {}

    public static void main(String[] words) throws Exception {
        String entries = new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
        char[] noPassword = new char[0];
        try (KeyStoreWrapper keystore = KeyStoreWrapper.create()) {
            for (String entry : entries.lines().toList()) {
                int end = entry.indexOf('=');
                keystore.setString(entry.substring(0, end), entry.substring(end + 1).toCharArray());
            }
            keystore.save(Path.of(words[0]), noPassword);
        }
    }
}
