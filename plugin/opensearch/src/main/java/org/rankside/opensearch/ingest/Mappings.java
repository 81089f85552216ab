package org.rankside.opensearch.ingest;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.opensearch.cluster.ClusterState;
import org.opensearch.cluster.metadata.IndexAbstraction;
import org.opensearch.cluster.metadata.IndexMetadata;
import org.opensearch.cluster.metadata.IndexTemplateMetadata;
import org.opensearch.cluster.metadata.MappingMetadata;
import org.opensearch.cluster.metadata.MetadataIndexTemplateService;
import org.opensearch.common.compress.CompressedXContent;
import org.opensearch.common.xcontent.XContentHelper;
import org.opensearch.core.xcontent.MediaTypeRegistry;
import org.rankside.ingest.KeptMappings;
import org.rankside.ingest.Mapping;
import org.rankside.opensearch.vector.KnnVectors;

/**
 * Mappings of the indices that documents are written to, by the cluster state at hand.
 *
 * <p>An index that the write itself will make has that of the templates that match its name.
 */
final class Mappings {
    private final KeptMappings kept = new KeptMappings();

    /**
     * The mapping of the index that a document for {@code name} is written to: an index, an alias or
     * a data stream.
     *
     * @throws IllegalArgumentException there is none, or it is broken
     */
    Mapping of(ClusterState state, String name) {
        IndexAbstraction found = state.metadata().getIndicesLookup().get(name);
        if (found == null) {
            return ofTemplates(state, name);
        }
        if (found.getWriteIndex() == null) {
            throw Mapping.withoutWriteIndex(name);
        }
        IndexMetadata index = found.getWriteIndex();
        return kept.of(index.getIndexUUID(), index.getMappingVersion(), () -> read(index));
    }

    private static Mapping read(IndexMetadata index) {
        MappingMetadata mapping = index.mapping();
        return Mapping.of(
                index.getIndex().getName(),
                mapping == null ? Map.of() : mapping.sourceAsMap(),
                KnnVectors.FIELDS);
    }

    private static Mapping ofTemplates(ClusterState state, String name) {
        Map<String, Object> mapping = new HashMap<>();
        for (CompressedXContent template : templates(state, name)) {
            XContentHelper.update(mapping, parsed(template), false);
        }
        if (mapping.isEmpty()) {
            throw Mapping.missing(name);
        }
        return Mapping.of(name, mapping, KnnVectors.FIELDS);
    }

    /** Those for an index of this name, the weakest first. */
    private static List<CompressedXContent> templates(ClusterState state, String name) {
        String template = MetadataIndexTemplateService.findV2Template(state.metadata(), name, false);
        if (template != null) {
            try {
                return MetadataIndexTemplateService.collectMappings(state, template, name);
            } catch (Exception error) { // as it is declared
                throw new IllegalArgumentException("template [" + template + "] cannot be read", error);
            }
        }
        return new ArrayList<>(MetadataIndexTemplateService.findV1Templates(state.metadata(), name, null))
                .reversed().stream().map(IndexTemplateMetadata::mappings).filter(Objects::nonNull).toList();
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> parsed(CompressedXContent mapping) {
        Map<String, Object> parsed =
                XContentHelper.convertToMap(mapping.uncompressed(), false, MediaTypeRegistry.JSON).v2();
        return parsed.size() == 1 && parsed.get("_doc") instanceof Map<?, ?> inner
                ? (Map<String, Object>) inner
                : parsed;
    }
}
