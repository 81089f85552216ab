package org.rankside.ingest;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/** Mappings that were read once, so that not every document has its index's read. */
public final class KeptMappings {
    private static final int MOST = 1000;

    private final Map<Version, Mapping> kept = new ConcurrentHashMap<>();

    /** A mapping as it was at one time. */
    private record Version(String uuid, long version) {}

    /** That of the index {@code uuid} at this version, read where it is not known yet. */
    public Mapping of(String uuid, long version, Supplier<Mapping> read) {
        Version wanted = new Version(uuid, version);
        Mapping known = kept.get(wanted);
        if (known == null) {
            known = read.get();
            if (kept.size() >= MOST) { // of old versions and deleted indices
                kept.clear();
            }
            kept.put(wanted, known);
        }
        return known;
    }
}
