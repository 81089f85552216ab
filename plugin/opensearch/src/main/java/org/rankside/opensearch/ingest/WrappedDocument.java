package org.rankside.opensearch.ingest;

import java.util.Map;
import org.opensearch.OpenSearchStatusException;
import org.opensearch.core.rest.RestStatus;
import org.opensearch.ingest.IngestDocument;
import org.opensearch.ingest.IngestDocumentWrapper;
import org.rankside.ingest.Document;
import org.rankside.ingest.NotEmbedded;

/** A document as the engine hands it over, with its place in the bulk request. */
final class WrappedDocument implements Document {
    private final IngestDocumentWrapper given;
    private final IngestDocument document;

    WrappedDocument(IngestDocumentWrapper given) {
        this.given = given;
        this.document = given.getIngestDocument();
    }

    /**
     * As it is to be handed back.
     *
     * <p>In a wrapper of its own, since where failures are ignored the engine goes on with the one that
     * it gave.
     *
     * @param failure what went wrong with it, or null
     */
    IngestDocumentWrapper finished(Exception failure) {
        return new IngestDocumentWrapper(
                given.getSlot(), given.getChildSlot(), failure == null ? document : null, told(failure));
    }

    private static Exception told(Exception failure) {
        return failure instanceof NotEmbedded not
                ? new OpenSearchStatusException(
                        not.getMessage(), RestStatus.fromCode(not.status()), not.getCause())
                : failure;
    }

    @Override
    public String index() {
        String field = IngestDocument.Metadata.INDEX.getFieldName();
        return String.valueOf(document.getSourceAndMetadata().get(field));
    }

    @Override
    public Map<String, Object> source() {
        return document.getSourceAndMetadata();
    }

    @Override
    public Object value(String field) {
        return document.getFieldValue(field, Object.class, true);
    }

    @Override
    public void remove(String field) {
        if (document.hasField(field)) {
            document.removeField(field);
        }
    }

    @Override
    public void set(String field, Object value) {
        document.setFieldValue(field, value);
    }
}
