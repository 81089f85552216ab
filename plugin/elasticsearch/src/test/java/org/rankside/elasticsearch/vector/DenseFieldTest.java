package org.rankside.elasticsearch.vector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.lucene.document.BinaryDocValuesField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.util.BytesRef;
import org.elasticsearch.index.IndexVersion;
import org.elasticsearch.index.IndexVersions;
import org.elasticsearch.index.mapper.vectors.DenseVectorFieldMapper.DenseVectorFieldType;
import org.elasticsearch.index.mapper.vectors.DenseVectorFieldMapper.Element;
import org.elasticsearch.index.mapper.vectors.DenseVectorFieldMapper.ElementType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.rankside.lucene.VectorQuery;

class DenseFieldTest {
    private static final float[] ASKED = {2, 1, 0};
    private static final float[] STORED = {3, 4, 0};
    private static final float EXPECTED = 1 + 10 / (5 * (float) Math.sqrt(5));

    @ParameterizedTest
    @MethodSource("written")
    void docValuesAreReadAsTheEngineWritesThem(ElementType type, IndexVersion created)
            throws IOException {
        DenseField field = field(type, created);
        VectorQuery query = new VectorQuery(field.of(Map.of("dims", 3), 3), null, ASKED);
        try (ByteBuffersDirectory directory = new ByteBuffersDirectory()) {
            write(directory, bytes(Element.getElement(type), created));
            try (DirectoryReader reader = DirectoryReader.open(directory)) {
                ScoreDoc[] found = new IndexSearcher(reader).search(query, 2).scoreDocs;
                assertEquals(1, found.length);
                assertEquals(EXPECTED, found[0].score, 1e-6);
            }
        }
    }

    static Stream<Arguments> written() {
        List<IndexVersion> versions =
                List.of(
                        IndexVersions.V_7_4_0,
                        IndexVersions.V_7_5_0,
                        IndexVersions.V_8_8_2,
                        IndexVersions.V_8_9_0,
                        IndexVersion.current());
        return Stream.of(ElementType.FLOAT, ElementType.BFLOAT16, ElementType.BYTE)
                .flatMap(type -> versions.stream().map(version -> Arguments.of(type, version)));
    }

    @Test
    void bitVectorsAreRefused() {
        assertTrue(refusal(ElementType.BIT, Map.of("dims", 24)).contains("bit vectors"));
    }

    @Test
    void anotherDimensionIsRefusedByBothNumbers() {
        String message = refusal(ElementType.FLOAT, Map.of("dims", 384));
        assertTrue(message.contains(" 3 dimensions") && message.contains("have 384;"), message);
    }

    @Test
    void aFieldWithoutADocumentHasNoDimensionToCheck() {
        DenseField field = field(ElementType.FLOAT, IndexVersion.current());
        assertEquals("v", field.of(Map.of(), 3).name());
    }

    private static String refusal(ElementType type, Map<?, ?> mapping) {
        DenseField field = field(type, IndexVersion.current());
        return assertThrows(IllegalArgumentException.class, () -> field.of(mapping, 3)).getMessage();
    }

    private static DenseField field(ElementType type, IndexVersion created) {
        DenseVectorFieldType mapped =
                new DenseVectorFieldType(
                        "v", created, type, null, false, null, null, Map.of(), false);
        return new DenseField(mapped, created);
    }

    /** As the mapper does it: from 7.5 on with the vector's length behind it. */
    private static byte[] bytes(Element element, IndexVersion created) {
        boolean length = created.onOrAfter(IndexVersions.V_7_5_0);
        int count = element.getNumBytes(STORED.length) + (length ? Float.BYTES : 0);
        ByteBuffer buffer = element.createByteBuffer(created, count);
        if (element.elementType() == ElementType.BFLOAT16) {
            writeHalves(buffer); // the engine's own way needs its native library
        } else {
            element.writeValues(buffer, STORED);
        }
        if (length) {
            buffer.putFloat(5);
        }
        return buffer.array();
    }

    private static void writeHalves(ByteBuffer buffer) {
        for (float value : STORED) {
            buffer.putShort((short) (Float.floatToIntBits(value) >> Short.SIZE));
        }
    }

    private static void write(ByteBuffersDirectory directory, byte[] bytes) throws IOException {
        try (IndexWriter writer = new IndexWriter(directory, new IndexWriterConfig())) {
            writer.addDocument(List.of(new BinaryDocValuesField("v", new BytesRef(bytes))));
            writer.addDocument(List.of());
        }
    }
}
