package org.rankside.lucene;

import java.io.IOException;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.NumericDocValuesField;
import org.apache.lucene.document.SortedSetDocValuesField;
import org.apache.lucene.document.StringField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.LeafReaderContext;
import org.apache.lucene.index.NoMergePolicy;
import org.apache.lucene.index.NumericDocValues;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.store.ByteBuffersDirectory;
import org.apache.lucene.util.BytesRef;

/** An index in memory whose documents have a number; segments stay as they were written. */
final class MemoryIndex implements AutoCloseable {
    static final String HASH = "hash";
    private static final String NUMBER = "number";

    private final ByteBuffersDirectory directory = new ByteBuffersDirectory();
    private final Storage storage;
    private final IndexWriter writer;
    private DirectoryReader reader;

    MemoryIndex(Storage storage) throws IOException {
        this.storage = storage;
        IndexWriterConfig config = new IndexWriterConfig();
        config.setCodec(storage.codec()).setMergePolicy(NoMergePolicy.INSTANCE);
        writer = new IndexWriter(directory, config);
    }

    /** {@code vector} and {@code hash} may be null. */
    MemoryIndex add(int number, float[] vector, String hash) throws IOException {
        Document document = new Document();
        document.add(new NumericDocValuesField(NUMBER, number));
        document.add(new StringField(NUMBER + "_term", "" + number, Field.Store.NO));
        if (vector != null) {
            document.add(storage.value(vector));
        }
        if (hash != null) {
            document.add(new SortedSetDocValuesField(HASH, new BytesRef(hash)));
        }
        writer.addDocument(document);
        return this;
    }

    MemoryIndex endSegment() throws IOException {
        writer.flush();
        return this;
    }

    MemoryIndex delete(int number) throws IOException {
        writer.deleteDocuments(new Term(NUMBER + "_term", "" + number));
        return this;
    }

    IndexSearcher searcher() throws IOException {
        writer.commit();
        reader = DirectoryReader.open(directory);
        IndexSearcher searcher = new IndexSearcher(reader);
        searcher.setQueryCache(null);
        return searcher;
    }

    /** The number of a document, by its place in the index. */
    int number(int document) throws IOException {
        for (LeafReaderContext leaf : reader.leaves()) {
            int local = document - leaf.docBase;
            if (local >= 0 && local < leaf.reader().maxDoc()) {
                NumericDocValues numbers = leaf.reader().getNumericDocValues(NUMBER);
                numbers.advance(local);
                return (int) numbers.longValue();
            }
        }
        throw new AssertionError(document);
    }

    @Override
    public void close() throws IOException {
        if (reader != null) {
            reader.close();
        }
        writer.close();
        directory.close();
    }
}
