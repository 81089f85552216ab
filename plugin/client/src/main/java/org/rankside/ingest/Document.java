package org.rankside.ingest;

import java.util.Map;

/** A document of an engine's on its way through a pipeline; fields by their dotted names. */
public interface Document {
    /** The index, alias or data stream it is written to. */
    String index();

    /** All that it has. */
    Map<String, Object> source();

    /** What a field has; null where it is not there. */
    Object value(String field);

    /** Takes a field out, if it is there. */
    void remove(String field);

    /** Puts a value into a field, making the objects around it. */
    void set(String field, Object value);
}
