package org.rankside.elasticsearch.ingest;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.elasticsearch.cluster.metadata.IndexAbstraction;
import org.elasticsearch.cluster.metadata.IndexMetadata;
import org.elasticsearch.cluster.metadata.IndexNameExpressionResolver;
import org.elasticsearch.cluster.metadata.IndexTemplateMetadata;
import org.elasticsearch.cluster.metadata.MappingMetadata;
import org.elasticsearch.cluster.metadata.MetadataIndexTemplateService;
import org.elasticsearch.cluster.metadata.ProjectMetadata;
import org.elasticsearch.common.compress.CompressedXContent;
import org.elasticsearch.common.xcontent.XContentHelper;
import org.elasticsearch.xcontent.XContentType;
import org.rankside.ingest.KeptMappings;
import org.rankside.ingest.Mapping;
import org.rankside.elasticsearch.vector.DenseVectors;

/**
 * Mappings of the indices that documents are written to, by the cluster state at hand.
 *
 * <p>An index that the write itself will make has that of the templates that match its name.
 */
final class Mappings {
    private final KeptMappings kept = new KeptMappings();

    /**
     * The mapping of the index that a document for {@code name} is written to: an index, an alias or
     * a data stream, its name with date math or without.
     *
     * @throws IllegalArgumentException there is none, or it is broken
     */
    Mapping of(ProjectMetadata project, String name) {
        String resolved = IndexNameExpressionResolver.resolveDateMathExpression(name);
        IndexAbstraction found = project.getIndicesLookup().get(resolved);
        if (found == null) {
            return ofTemplates(project, resolved);
        }
        if (found.getWriteIndex() == null) {
            throw Mapping.withoutWriteIndex(resolved);
        }
        IndexMetadata index = project.index(found.getWriteIndex());
        return kept.of(index.getIndexUUID(), index.getMappingVersion(), () -> read(index));
    }

    private static Mapping read(IndexMetadata index) {
        MappingMetadata mapping = index.mapping();
        return Mapping.of(
                index.getIndex().getName(),
                mapping == null ? Map.of() : mapping.sourceAsMap(),
                DenseVectors.FIELDS);
    }

    private static Mapping ofTemplates(ProjectMetadata project, String name) {
        Map<String, Object> mapping = new HashMap<>();
        for (CompressedXContent template : templates(project, name)) {
            XContentHelper.update(mapping, parsed(template), false);
        }
        if (mapping.isEmpty()) {
            throw Mapping.missing(name);
        }
        return Mapping.of(name, mapping, DenseVectors.FIELDS);
    }

    /** Those for an index of this name, the weakest first. */
    private static List<CompressedXContent> templates(ProjectMetadata project, String name) {
        String template = MetadataIndexTemplateService.findV2Template(project, name, false);
        if (template != null) {
            return MetadataIndexTemplateService.collectMappings(project, template, name);
        }
        return new ArrayList<>(MetadataIndexTemplateService.findV1Templates(project, name, null))
                .reversed().stream().map(IndexTemplateMetadata::mappings).filter(Objects::nonNull).toList();
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> parsed(CompressedXContent mapping) {
        Map<String, Object> parsed =
                XContentHelper.convertToMap(mapping.uncompressed(), false, XContentType.JSON).v2();
        return parsed.size() == 1 && parsed.get("_doc") instanceof Map<?, ?> inner
                ? (Map<String, Object>) inner
                : parsed;
    }
}
