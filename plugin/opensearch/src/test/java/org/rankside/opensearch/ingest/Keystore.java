package org.rankside.opensearch.ingest;

import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Map;
import java.util.Set;
import org.opensearch.common.settings.SecureSettings;
import org.opensearch.core.common.settings.SecureString;

/** A keystore without a file. */
record Keystore(Map<String, String> secrets) implements SecureSettings {
    @Override
    public boolean isLoaded() {
        return true;
    }

    @Override
    public Set<String> getSettingNames() {
        return secrets.keySet();
    }

    @Override
    public SecureString getString(String setting) {
        return new SecureString(secrets.get(setting).toCharArray());
    }

    @Override
    public InputStream getFile(String setting) {
        throw new UnsupportedOperationException("it has no files");
    }

    @Override
    public byte[] getSHA256Digest(String setting) throws GeneralSecurityException {
        byte[] secret = secrets.get(setting).getBytes(StandardCharsets.UTF_8);
        return MessageDigest.getInstance("SHA-256").digest(secret);
    }

    @Override
    public void close() {}
}
