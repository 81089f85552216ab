package org.rankside.elasticsearch.ingest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.rankside.elasticsearch.ingest.FakeNode.document;
import static org.rankside.elasticsearch.ingest.FakeNode.run;

import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import org.elasticsearch.cluster.metadata.AliasMetadata;
import org.elasticsearch.cluster.metadata.ComponentTemplate;
import org.elasticsearch.cluster.metadata.ComposableIndexTemplate;
import org.elasticsearch.cluster.metadata.IndexTemplateMetadata;
import org.elasticsearch.cluster.metadata.Template;
import org.elasticsearch.common.compress.CompressedXContent;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.rankside.elasticsearch.ElasticsearchJson;
import org.rankside.ingest.FakeSidecar;

@Timeout(60)
class MappingsTest {
    private static final String LONGER = FakeNode.MAPPING.replace("\"dims\": 3", "\"dims\": 4");

    @TempDir Path home;
    private FakeSidecar sidecar;
    private FakeNode node;

    @BeforeEach
    void start() throws Exception {
        sidecar = new FakeSidecar(new ElasticsearchJson());
        node = new FakeNode(home, 1 << 20, "rankside.sidecar.url", sidecar.url());
    }

    @AfterEach
    void stop() {
        node.close();
        sidecar.close();
    }

    @Test
    void anAliasStandsForItsWriteIndex() {
        node.index(
                "books-1",
                LONGER,
                index -> index.putAlias(AliasMetadata.builder("books").writeIndex(false)));
        node.index(
                "books-2",
                FakeNode.MAPPING,
                index -> index.putAlias(AliasMetadata.builder("books").writeIndex(true)));
        assertNull(failure("books"));
    }

    @Test
    void anAliasWithoutAWriteIndexIsNoTarget() {
        for (String name : List.of("books-1", "books-2")) {
            node.index(
                    name,
                    FakeNode.MAPPING,
                    index -> index.putAlias(AliasMetadata.builder("books")));
        }
        assertEquals("alias [books] has no write index; give it one, or name an index", failure("books"));
    }

    @Test
    void aNameWithDateMathIsThatOfItsDay() {
        String today = DateTimeFormatter.ofPattern("uuuu").format(LocalDate.now(ZoneOffset.UTC));
        node.index("books-" + today, FakeNode.MAPPING);
        assertNull(failure("<books-{now/y{uuuu}}>"));
    }

    @Test
    void anIndexThatIsNotThereIsAsItsTemplateSays() throws Exception {
        ComponentTemplate fields =
                new ComponentTemplate(
                        template(FakeNode.MAPPING.replace("\"v\": {", "\"x\": {")), null, null);
        ComposableIndexTemplate books =
                ComposableIndexTemplate.builder()
                        .indexPatterns(List.of("books*"))
                        .template(
                                template("{\"properties\": {\"v\": {\"type\": \"dense_vector\", \"dims\": 3}}}"))
                        .componentTemplates(List.of("fields"))
                        .build();
        node.change(project -> project.put("fields", fields).put("books", books));
        assertNull(failure("books-2026"));
        assertEquals(1, sidecar.calls.size());
        assertTrue(failure("films").startsWith("there is no index [films] and no template"));
    }

    @Test
    void olderTemplatesCountTooTheStrongestLast() throws Exception {
        for (int order : List.of(1, 2)) {
            String mapping = order == 1 ? LONGER : FakeNode.MAPPING;
            IndexTemplateMetadata template =
                    IndexTemplateMetadata.builder("of-" + order)
                            .patterns(List.of("books*"))
                            .order(order)
                            .putMapping("_doc", "{\"_doc\":" + mapping + "}")
                            .build();
            node.change(project -> project.put(template));
        }
        assertNull(failure("books-2026"));
    }

    @Test
    void aMappingThatChangesIsReadAnew() {
        node.index("books", FakeNode.MAPPING);
        assertNull(failure("books"));
        node.index(
                "books",
                FakeNode.MAPPING.replace("dense_vector", "float"),
                index -> index.mappingVersion(2));
        assertTrue(failure("books").startsWith("field [v] of index [books] is of type [float]"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "\"dense_vector\"|\"text\"|field [v] of index [books] is of type [text] where",
                "\"v\": {|\"x\": {|field [v] of index [books] is not mapped where dense_vector is due",
                "\"rankside\"|\"other\"|index [books] has no _meta.rankside in its mapping",
                "\"model\": \"m\",|``|index [books]: the mapping's _meta.rankside cannot be read",
            })
    void anIndexThatIsNotMadeForItSaysSo(String part, String instead, String why) {
        node.index("books", FakeNode.MAPPING.replace(part, instead));
        String failure = failure("books");
        assertTrue(failure.startsWith(why), failure);
        assertEquals(List.of(), sidecar.calls);
    }

    @Test
    void whileItIsReEmbeddedTheModelOfThatGoesOn() {
        node.index("books", FakeNode.MAPPING.replace("f00d", ""));
        assertNull(failure("books"));
        node.index("films", FakeNode.MAPPING.replace("f00d", "").replace("\"m\"", "\"n\""));
        assertTrue(failure("films").startsWith("index [films] is being re-embedded with"));
    }

    private static Template template(String mapping) throws Exception {
        return new Template(null, new CompressedXContent(mapping), null);
    }

    private String failure(String index) {
        Exception error =
                run(node.processor("{}"), document(index, "text", "a")).getFirst().error();
        return error == null ? null : error.getMessage();
    }
}
