package org.rankside.client;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

/** Whom to trust and who to be on the way to a sidecar; host names are checked by the HTTP client. */
public final class Tls {
    private static final char[] PASSWORD = new char[0]; // of stores that never leave the memory

    private Tls() {}

    /**
     * A context for clients.
     *
     * @param authorities who may have signed a sidecar's certificate; empty: those the JDK trusts
     * @param chain this node's own certificate first; empty: it shows none
     * @param key of the chain's first; null where that is empty
     * @throws IllegalArgumentException the key is that of another certificate
     */
    public static SSLContext context(
            List<X509Certificate> authorities, List<X509Certificate> chain, PrivateKey key) {
        if (!chain.isEmpty() && !fits(key, chain.getFirst())) {
            throw new IllegalArgumentException(
                    "the key is not that of the certificate; give the two that were made together");
        }
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(shown(chain, key), trusted(authorities), null);
            return context;
        } catch (GeneralSecurityException | IOException error) {
            throw new IllegalStateException("the certificates cannot be used by this JDK", error);
        }
    }

    private static KeyManager[] shown(List<X509Certificate> chain, PrivateKey key)
            throws GeneralSecurityException, IOException {
        if (chain.isEmpty()) {
            return null;
        }
        KeyStore store = store();
        store.setKeyEntry("own", key, PASSWORD, chain.toArray(X509Certificate[]::new));
        KeyManagerFactory managers =
                KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(store, PASSWORD);
        return managers.getKeyManagers();
    }

    private static TrustManager[] trusted(List<X509Certificate> authorities)
            throws GeneralSecurityException, IOException {
        if (authorities.isEmpty()) {
            return null;
        }
        KeyStore store = store();
        for (X509Certificate authority : authorities) {
            store.setCertificateEntry("authority " + store.size(), authority);
        }
        TrustManagerFactory managers =
                TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        managers.init(store);
        return managers.getTrustManagers();
    }

    private static KeyStore store() throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, PASSWORD);
        return store;
    }

    /** Whether what the key signs is what the certificate verifies. */
    private static boolean fits(PrivateKey key, X509Certificate certificate) {
        if (!key.getAlgorithm().equals(certificate.getPublicKey().getAlgorithm())) {
            return false;
        }
        try {
            Signature signature =
                    Signature.getInstance(
                            key.getAlgorithm().equals("RSA") ? "SHA256withRSA" : "SHA256withECDSA");
            signature.initSign(key);
            byte[] signed = signature.sign();
            signature.initVerify(certificate.getPublicKey());
            return signature.verify(signed);
        } catch (GeneralSecurityException error) {
            return false;
        }
    }
}
