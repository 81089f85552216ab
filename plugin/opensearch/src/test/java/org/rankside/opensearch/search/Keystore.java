package org.rankside.opensearch.search;

import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Set;
import org.opensearch.common.settings.SecureSettings;
import org.opensearch.core.common.settings.SecureString;

/** A node's keystore, open. */
record Keystore(Map<String, String> entries) implements SecureSettings {
    @Override
    public boolean isLoaded() {
        return true;
    }

    @Override
    public Set<String> getSettingNames() {
        return entries.keySet();
    }

    @Override
    public SecureString getString(String setting) {
        return new SecureString(entries.get(setting).toCharArray());
    }

    @Override
    public InputStream getFile(String setting) {
        throw new UnsupportedOperationException("it holds no files");
    }

    @Override
    public byte[] getSHA256Digest(String setting) {
        return entries.get(setting).getBytes(StandardCharsets.UTF_8); // which is compared, not shown
    }

    @Override
    public void close() {}
}
