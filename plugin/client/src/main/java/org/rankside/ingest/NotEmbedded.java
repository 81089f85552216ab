package org.rankside.ingest;

/** Why a document has no vector, and what the one who wrote it is told. */
public final class NotEmbedded extends RuntimeException {
    private final int status;

    NotEmbedded(int status, String message, Throwable cause) {
        super(message, cause);
        this.status = status;
    }

    /** As of HTTP: whether to send the document again. */
    public int status() {
        return status;
    }
}
