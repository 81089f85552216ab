package org.rankside.lucene;

import java.io.IOException;
import org.apache.lucene.index.DocValues;
import org.apache.lucene.index.LeafReader;
import org.apache.lucene.index.SortedSetDocValues;
import org.apache.lucene.search.DocIdSetIterator;
import org.apache.lucene.util.BytesRef;
import org.apache.lucene.util.StringHelper;

/**
 * The keyword beside each vector, {@code <fingerprint>:<text hash>}, which says whose vector it is.
 *
 * @param name as Lucene has it
 * @param fingerprint that of the model whose vectors may be compared
 */
public record HashField(String name, String fingerprint) {
    /** Whether a document's vector may be compared. */
    @FunctionalInterface
    interface Check {
        Check ALL = document -> true;

        /** Documents are asked for in ascending order, none twice. */
        boolean ours(int document) throws IOException;
    }

    /**
     * Documents of a segment, less some that may not be compared.
     *
     * @param documents none of whose others may be
     * @param check says it of each of them
     */
    record Candidates(DocIdSetIterator documents, Check check) {}

    /**
     * Those of {@code documents} whose vectors may be compared. One without a hash is taken for the
     * index's own model's.
     *
     * <p>A segment of our model alone, or with none of it, is not asked document by document.
     */
    Candidates among(DocIdSetIterator documents, LeafReader segment) throws IOException {
        SortedSetDocValues hashes = DocValues.getSortedSet(segment, name);
        long count = hashes.getValueCount();
        if (count == 0 || ours(hashes.lookupOrd(0)) && ours(hashes.lookupOrd(count - 1))) {
            return new Candidates(documents, Check.ALL);
        }
        long first = place(hashes, ':');
        long end = place(hashes, ':' + 1);
        if (first == end) {
            return new Candidates(new Except(documents, hashes), Check.ALL);
        }
        return new Candidates(
                documents,
                document -> !hashes.advanceExact(document) || anyWithin(hashes, first, end));
    }

    /** Why a field {@code name} that has no sorted doc values is refused. */
    public static IllegalArgumentException noHashes(String name) {
        return new IllegalArgumentException(
                "field " + name + " is no keyword with doc values, so it holds no hashes; "
                        + "leave out [hash_field] or rebuild the index");
    }

    /** Whether {@code document}'s vector may be compared. */
    boolean allows(int document, LeafReader segment) throws IOException {
        Candidates ours = among(DocIdSetIterator.all(segment.maxDoc()), segment);
        return ours.documents().advance(document) == document && ours.check().ours(document);
    }

    private boolean ours(BytesRef hash) {
        return StringHelper.startsWith(hash, new BytesRef(fingerprint + ':'));
    }

    /** The ordinal of the first hash that is not before the fingerprint followed by this character. */
    private long place(SortedSetDocValues hashes, int character) throws IOException {
        long found = hashes.lookupTerm(new BytesRef(fingerprint + (char) character));
        return found < 0 ? -found - 1 : found;
    }

    private static boolean anyWithin(SortedSetDocValues hashes, long first, long end)
            throws IOException {
        for (int left = hashes.docValueCount(); left > 0; left--) {
            long hash = hashes.nextOrd();
            if (hash >= first && hash < end) {
                return true;
            }
        }
        return false;
    }
}
