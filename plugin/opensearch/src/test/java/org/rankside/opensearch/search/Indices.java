package org.rankside.opensearch.search;

import java.util.Map;
import java.util.TreeMap;
import org.opensearch.Version;
import org.opensearch.cluster.metadata.IndexMetadata;
import org.opensearch.cluster.metadata.MappingMetadata;
import org.opensearch.common.settings.Settings;
import org.rankside.search.IndexFacts;

/** Indices as a cluster state has them. */
final class Indices {
    private Indices() {}

    /** An index with the mapping in {@code body}, which may be null. */
    static IndexMetadata.Builder index(String name, Map<String, Object> body) {
        Settings settings =
                Settings.builder()
                        .put(IndexMetadata.SETTING_VERSION_CREATED, Version.CURRENT)
                        .put(IndexMetadata.SETTING_NUMBER_OF_SHARDS, 1)
                        .put(IndexMetadata.SETTING_NUMBER_OF_REPLICAS, 0)
                        .put(IndexMetadata.SETTING_INDEX_UUID, "uuid-of-" + name)
                        .build();
        IndexMetadata.Builder made = IndexMetadata.builder(name).settings(settings);
        return body == null ? made : made.putMapping(new MappingMetadata("_doc", body));
    }

    /** What is known of an index with the mapping in {@code json}. */
    static IndexFacts facts(String name, String json) {
        return IndexFacts.of(name, Cases.object(json));
    }

    /** The same of several, whose names and mappings come in turn. */
    static Map<String, IndexFacts> all(String... namesAndMappings) {
        Map<String, IndexFacts> all = new TreeMap<>();
        for (int at = 0; at < namesAndMappings.length; at += 2) {
            String name = namesAndMappings[at];
            all.put(name, facts(name, namesAndMappings[at + 1]));
        }
        return all;
    }
}
