package org.rankside.lucene;

import java.io.IOException;
import org.apache.lucene.search.DocIdSetIterator;

/** The documents of one iterator that another has not; a run of the other's is stepped over at once. */
final class Except extends DocIdSetIterator {
    private final DocIdSetIterator in;
    private final DocIdSetIterator excluded;

    Except(DocIdSetIterator in, DocIdSetIterator excluded) {
        this.in = in;
        this.excluded = excluded;
    }

    @Override
    public int docID() {
        return in.docID();
    }

    @Override
    public int nextDoc() throws IOException {
        return outside(in.nextDoc());
    }

    @Override
    public int advance(int target) throws IOException {
        return outside(in.advance(target));
    }

    @Override
    public long cost() {
        return in.cost();
    }

    private int outside(int first) throws IOException {
        int document = first;
        while (document != NO_MORE_DOCS && isExcluded(document)) {
            document = in.advance(excluded.docIDRunEnd());
        }
        return document;
    }

    private boolean isExcluded(int document) throws IOException {
        int at = excluded.docID();
        return (at < document ? excluded.advance(document) : at) == document;
    }
}
