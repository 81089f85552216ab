package org.rankside.elasticsearch.search;

import java.util.List;
import org.apache.lucene.index.LeafReaderContext;
import org.elasticsearch.common.document.DocumentField;
import org.elasticsearch.search.fetch.FetchContext;
import org.elasticsearch.search.fetch.FetchSubPhase;
import org.elasticsearch.search.fetch.FetchSubPhaseProcessor;
import org.elasticsearch.search.fetch.StoredFieldsSpec;
import org.rankside.search.Place;

/** Has hits say in {@code fields.rankside} where they were before. */
public final class BeforePhase implements FetchSubPhase {
    private static final String FIELD = "rankside";

    @Override
    public FetchSubPhaseProcessor getProcessor(FetchContext context) {
        if (!(context.getSearchExt(BeforeExt.NAME) instanceof BeforeExt before)) {
            return null;
        }
        return new FetchSubPhaseProcessor() {
            @Override
            public void setNextReader(LeafReaderContext segment) {}

            @Override
            public StoredFieldsSpec storedFieldsSpec() {
                return StoredFieldsSpec.NO_REQUIREMENTS;
            }

            @Override
            public void process(HitContext hit) {
                String place = new Place(context.getIndexName(), hit.hit().getId()).name();
                Object found = before.of(place);
                if (found != null) {
                    hit.hit().setDocumentField(new DocumentField(FIELD, List.of(found)));
                }
            }
        };
    }
}
