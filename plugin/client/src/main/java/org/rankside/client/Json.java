package org.rankside.client;

import java.io.IOException;
import java.util.Map;

/** JSON as the engine at hand reads and writes it: this module brings no parser of its own. */
public interface Json {
    /** UTF-8 bytes of an object; values are maps, lists, strings, numbers, booleans and null. */
    byte[] write(Map<String, ?> object) throws IOException;

    /** The object in UTF-8 bytes; throws where they hold anything else. */
    Map<String, Object> read(byte[] bytes) throws IOException;
}
