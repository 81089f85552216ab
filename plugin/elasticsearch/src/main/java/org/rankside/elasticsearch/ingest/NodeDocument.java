package org.rankside.elasticsearch.ingest;

import java.util.Map;
import org.elasticsearch.ElasticsearchStatusException;
import org.elasticsearch.ingest.IngestDocument;
import org.elasticsearch.rest.RestStatus;
import org.rankside.ingest.Document;
import org.rankside.ingest.NotEmbedded;

/** A document as the engine hands it over. */
final class NodeDocument implements Document {
    private final IngestDocument document;

    NodeDocument(IngestDocument document) {
        this.document = document;
    }

    /**
     * What the one who wrote it is told, with the status that says whether to send it again.
     *
     * <p>Without what caused it: {@code on_failure_message} is the message of the very last cause, and
     * that one names no remedy.
     */
    static Exception told(Exception failure) {
        return failure instanceof NotEmbedded not
                ? new ElasticsearchStatusException(not.getMessage(), RestStatus.fromCode(not.status()))
                : failure;
    }

    @Override
    public String index() {
        return document.getMetadata().getIndex();
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
