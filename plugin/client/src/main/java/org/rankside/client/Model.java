package org.rankside.client;

import java.io.IOException;

/** Which model answered. */
public record Model(String name, String revision, String fingerprint) {
    static Model read(Fields model) throws IOException {
        return new Model(model.text("name"), model.text("revision"), model.text("fingerprint"));
    }
}
