package org.rankside.opensearch.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.rankside.opensearch.ingest.FakeNode.document;
import static org.rankside.opensearch.ingest.FakeNode.run;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.opensearch.ExceptionsHelper;
import org.opensearch.cluster.metadata.AliasMetadata;
import org.opensearch.cluster.metadata.ComponentTemplate;
import org.opensearch.cluster.metadata.ComposableIndexTemplate;
import org.opensearch.cluster.metadata.IndexTemplateMetadata;
import org.opensearch.cluster.metadata.Template;
import org.opensearch.common.compress.CompressedXContent;
import org.opensearch.core.rest.RestStatus;
import org.opensearch.ingest.IngestDocument;
import org.rankside.ingest.FakeSidecar;
import org.rankside.ingest.FloatList;
import org.rankside.opensearch.OpenSearchJson;

@Timeout(60)
class TargetIndexTest {
    @TempDir Path home;
    private FakeSidecar sidecar;
    private FakeNode node;

    @BeforeEach
    void start() throws Exception {
        sidecar = new FakeSidecar(new OpenSearchJson());
        node = new FakeNode(home, 1 << 20);
    }

    @AfterEach
    void stop() {
        node.close();
        sidecar.close();
    }

    @Test
    void anAliasStandsForItsWriteIndex() {
        node.metadata.put(
                node.index("books-1", FakeNode.MAPPING.replace("\"dimension\": 3", "\"dimension\": 4"))
                        .putAlias(AliasMetadata.builder("books").writeIndex(false)));
        node.metadata.put(
                node.index("books-2", FakeNode.MAPPING)
                        .putAlias(AliasMetadata.builder("books").writeIndex(true)));
        assertNull(failure("", "books"));
    }

    @Test
    void anAliasWithoutAWriteIndexIsNoTarget() {
        for (String name : List.of("books-1", "books-2")) {
            node.metadata.put(
                    node.index(name, FakeNode.MAPPING).putAlias(AliasMetadata.builder("books")));
        }
        assertEquals(
                "alias [books] has no write index; give it one, or name an index", failure("", "books"));
    }

    @Test
    void anIndexThatIsNotThereIsAsItsTemplateSays() throws Exception {
        node.metadata.put(
                "fields",
                new ComponentTemplate(
                        new Template(
                                null,
                                new CompressedXContent(FakeNode.MAPPING.replace("\"v\": {", "\"other\": {")),
                                null),
                        null,
                        null));
        node.metadata.put(
                "books",
                new ComposableIndexTemplate(
                        List.of("books*"),
                        new Template(
                                null,
                                new CompressedXContent(
                                        "{\"properties\": {\"v\": {\"type\": \"knn_vector\","
                                                + " \"dimension\": 3}}}"),
                                null),
                        List.of("fields"),
                        1L,
                        null,
                        null,
                        null));
        assertNull(failure("", "books-2026"));
        assertEquals(1, sidecar.calls.size());
        assertTrue(failure("", "films").startsWith("there is no index [films] and no template"));
    }

    @Test
    void olderTemplatesCountTooTheStrongestLast() throws Exception {
        for (String dimension : List.of("4", "3")) {
            node.metadata.put(
                    IndexTemplateMetadata.builder("of-" + dimension)
                            .patterns(List.of("books*"))
                            .order(dimension.equals("3") ? 2 : 1)
                            .putMapping(
                                    "_doc",
                                    "{\"_doc\":"
                                            + FakeNode.MAPPING.replace(": 3}}", ": " + dimension + "}}")
                                                    .replace(": 3},\"o", ": " + dimension + "},\"o")
                                            + "}")
                            .build());
        }
        assertNull(failure("", "books-2026"));
    }

    @Test
    void aMappingThatChangesIsReadAnew() {
        node.metadata.put(node.index("books", FakeNode.MAPPING).mappingVersion(1));
        assertNull(failure("", "books"));
        node.metadata.put(
                node.index("books", FakeNode.MAPPING.replace("knn_vector", "float")).mappingVersion(2));
        assertTrue(failure("", "books").startsWith("field [v] of index [books] is of type [float]"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "\"knn_vector\"|\"text\"||field [v] of index [books] is of type [text] where",
                "\"v\": {|\"x\": {||field [v] of index [books] is not mapped where knn_vector is due",
                "f00d|f00d|, 'vector_field': 'o.x'|field [o.x] of index [books] is not mapped",
                "\"rankside\"|\"other\"||index [books] has no _meta.rankside in its mapping",
                "\"model\": \"m\",|``||index [books]: the mapping's _meta.rankside cannot be read",
                "f00d|beef|, 'fingerprint': 'f00d'|has vectors of the model with fingerprint beef and the",
            })
    void anIndexThatIsNotMadeForItSaysSo(String part, String instead, String config, String why) {
        node.index("books", FakeNode.MAPPING.replace(part, instead));
        String failure = failure(config == null ? "" : config, "books");
        assertTrue(failure.contains(why), failure);
        assertEquals(List.of(), sidecar.calls);
    }

    @Test
    void anIndexWithoutMetaIsFilledAsTheProcessorSays() {
        node.index("books", FakeNode.MAPPING.replace("_meta", "_other"));
        IngestDocument document = document("books", "text", "a");
        assertNull(failure(", 'fingerprint': 'f00d', 'vector_field': 'v'", document));
        assertEquals(new FloatList(FakeSidecar.vector("a")), document.getFieldValue("v", List.class));
        assertTrue(document.getFieldValue("rankside_hash", String.class).startsWith("f00d:"));
    }

    @Test
    void anotherFieldMayHaveVectorsOfAnotherModel() {
        node.index("books", FakeNode.MAPPING.replace("f00d", "beef"));
        assertNull(failure(", 'fingerprint': 'f00d', 'vector_field': 'o.v', 'hash_field': 'o.h'", "books"));
    }

    @Test
    void whileItIsReEmbeddedTheModelOfThatGoesOn() {
        node.index("books", FakeNode.MAPPING.replace("f00d", ""));
        IngestDocument document = document("books", "text", "a");
        assertNull(failure("", document));
        assertTrue(document.getFieldValue("h", String.class).startsWith("f00d:"));
    }

    @ParameterizedTest
    @CsvSource({"'\"m\"', '\"n\"'", "'\"r\"', '\"s\"'", "'\"dimensions\": 3', '\"dimensions\": 4'"})
    void whileItIsReEmbeddedAnotherModelIsRefused(String part, String instead) {
        node.index("books", FakeNode.MAPPING.replace("f00d", "").replace(part, instead));
        String failure = failure("", "books");
        assertTrue(failure.startsWith("index [books] is being re-embedded with"), failure);
        assertEquals(List.of(), sidecar.calls);
    }

    @Test
    void aModelThatCannotBeAskedForFailsTheDocument() {
        node.index("books", FakeNode.MAPPING.replace("f00d", ""));
        sidecar.close();
        Exception error =
                run(node.processor("{'url': '" + sidecar.url() + "'}"), document("books", "text", "a"))
                        .getFirst()
                        .getException();
        assertEquals(RestStatus.SERVICE_UNAVAILABLE, ExceptionsHelper.status(error));
        assertTrue(error.getMessage().contains("cannot be reached"));
    }

    @Test
    void everyDocumentGoesByItsOwnIndex() {
        node.index("books", FakeNode.MAPPING);
        node.index("films", FakeNode.MAPPING.replace("\"dimension\": 3", "\"dimension\": 4"));
        List<Boolean> failed =
                run(
                                node.processor("{'url': '" + sidecar.url() + "'}"),
                                document("films", "text", "a"),
                                document("books", "text", "b"),
                                document("nowhere", "text", "c"))
                        .stream()
                        .map(one -> one.getException() != null)
                        .toList();
        assertEquals(List.of(true, false, true), failed);
        assertEquals(List.of(List.of("a", "b")), sidecar.calls);
    }

    @Test
    void theVectorInADocumentCanBeCopied() { // as _simulate does
        node.index("books", FakeNode.MAPPING);
        IngestDocument document = document("books", "text", "a");
        assertNull(failure("", document));
        Map<String, Object> copy = new IngestDocument(document).getSourceAndMetadata();
        assertEquals(new FloatList(FakeSidecar.vector("a")), copy.get("v"));
    }

    private String failure(String config, String index) {
        return failure(config, document(index, "text", "a"));
    }

    private String failure(String config, IngestDocument document) {
        Exception error =
                run(node.processor("{'url': '" + sidecar.url() + "'" + config + "}"), document)
                        .getFirst()
                        .getException();
        if (error != null) {
            assertEquals(RestStatus.BAD_REQUEST, ExceptionsHelper.status(error));
        }
        return error == null ? null : error.getMessage();
    }
}
