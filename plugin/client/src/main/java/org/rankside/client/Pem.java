package org.rankside.client;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.NoSuchAlgorithmException;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Certificates and keys in PEM files (RFC 7468). */
public final class Pem {
    private static final Pattern BLOCK =
            Pattern.compile(
                    "-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \\1-----", Pattern.DOTALL);

    /** What is between two lines, as it stands there. */
    private record Block(String label, String text) {
        byte[] bytes() {
            return Base64.getMimeDecoder().decode(text);
        }
    }

    private Pem() {}

    /**
     * All certificates of a file, in its order.
     *
     * @throws IOException it cannot be read or has none; the message is a sentence that names it
     */
    public static List<X509Certificate> certificates(Path file) throws IOException {
        List<X509Certificate> certificates = new ArrayList<>();
        for (Block block : blocks(file)) {
            if (block.label.equals("CERTIFICATE")) {
                certificates.add(certificate(file, block));
            }
        }
        if (certificates.isEmpty()) {
            throw new IOException(file + " has no certificate in it; give a PEM file");
        }
        return certificates;
    }

    /**
     * The one private key of a file: RSA or EC, as PKCS#8 and not encrypted.
     *
     * @throws IOException it cannot be read or has none; the message is a sentence that names it
     */
    public static PrivateKey key(Path file) throws IOException {
        List<Block> keys =
                blocks(file).stream().filter(one -> one.label.endsWith("PRIVATE KEY")).toList();
        if (keys.size() != 1) {
            throw new IOException(
                    file + " has " + keys.size() + " private keys in it; give a PEM file with one");
        }
        Block key = keys.getFirst();
        if (key.label.startsWith("ENCRYPTED") || key.text.contains("ENCRYPTED")) {
            throw new IOException(
                    file + " is encrypted, and nobody is there to type a passphrase; "
                            + "write it anew with openssl pkcs8 -topk8 -nocrypt");
        }
        if (!key.label.equals("PRIVATE KEY")) {
            throw new IOException(
                    file + " is not PKCS#8 but " + key.label
                            + "; write it anew with openssl pkcs8 -topk8 -nocrypt");
        }
        return key(file, key);
    }

    private static PrivateKey key(Path file, Block block) throws IOException {
        for (String algorithm : List.of("RSA", "EC")) {
            try {
                return KeyFactory.getInstance(algorithm)
                        .generatePrivate(new PKCS8EncodedKeySpec(block.bytes()));
            } catch (NoSuchAlgorithmException error) {
                throw new IOException("this JDK knows no " + algorithm + " keys", error);
            } catch (InvalidKeySpecException | IllegalArgumentException error) {
                continue; // it may be one of the other
            }
        }
        throw new IOException(file + " has a private key that is neither RSA nor EC; make one of these");
    }

    private static X509Certificate certificate(Path file, Block block) throws IOException {
        try {
            return (X509Certificate)
                    CertificateFactory.getInstance("X.509")
                            .generateCertificate(new ByteArrayInputStream(block.bytes()));
        } catch (GeneralSecurityException | IllegalArgumentException error) {
            throw new IOException(
                    file + " has a certificate that cannot be read; copy it anew", error);
        }
    }

    private static List<Block> blocks(Path file) throws IOException {
        String text;
        try {
            text = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
        } catch (IOException | SecurityException error) {
            throw new IOException(
                    file + " cannot be read (" + error.getClass().getSimpleName()
                            + "); check that it is there and whose it is",
                    error);
        }
        Matcher found = BLOCK.matcher(text);
        return found.results().map(one -> new Block(one.group(1), one.group(2))).toList();
    }
}
