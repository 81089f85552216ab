package org.rankside.search;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/** What mappings say, kept until they change: to read one anew for each search takes long. */
public final class KeptFacts {
    private static final int KEPT = 1000;

    private final Map<Version, IndexFacts> kept = new ConcurrentHashMap<>();

    /** A mapping as it was at one time. */
    private record Version(String uuid, long version) {}

    /**
     * Of the index {@code name}.
     *
     * @param version of its mapping
     * @param mapping as an object with {@code properties}; called only where it is not known
     * @throws PassThrough its {@code _meta.rankside} is broken
     */
    public IndexFacts of(
            String name, String uuid, long version, Supplier<Map<String, Object>> mapping) {
        Version wanted = new Version(uuid, version);
        IndexFacts known = kept.get(wanted);
        if (known == null) {
            known = IndexFacts.of(name, mapping.get());
            if (kept.size() >= KEPT) { // of old versions and deleted indices
                kept.clear();
            }
            kept.put(wanted, known);
        }
        return known;
    }
}
