package org.rankside.opensearch.search;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.opensearch.index.query.BoolQueryBuilder;
import org.opensearch.index.query.ConstantScoreQueryBuilder;
import org.opensearch.index.query.IdsQueryBuilder;
import org.opensearch.index.query.MatchAllQueryBuilder;
import org.opensearch.index.query.QueryBuilder;
import org.opensearch.index.query.TermQueryBuilder;
import org.rankside.search.Place;

class PlacesTest {
    private static final Place A1 = new Place("a", "1");
    private static final Place A2 = new Place("a", "2");
    private static final Place B1 = new Place("b", "1");

    @Test
    void anIdCountsInItsOwnIndexAlone() {
        assertEquals(
                new BoolQueryBuilder().should(in("a", "1", "2")).should(in("b", "1")),
                Places.among(List.of(A1, B1, A2)));
    }

    @Test
    void oneIndexNeedsNoChoice() {
        assertEquals(in("a", "1", "2"), Places.among(List.of(A2, A1)));
    }

    @Test
    void aQueryOfPlacesAloneScoresAsItDoesByItself() {
        QueryBuilder query = new MatchAllQueryBuilder();
        assertEquals(
                new BoolQueryBuilder().must(query).filter(in("a", "1")),
                Places.only(List.of(A1), query));
    }

    @Test
    void anOrderIsOfFallingScoresDownToOne() {
        assertEquals(
                new BoolQueryBuilder()
                        .should(new ConstantScoreQueryBuilder(in("b", "1")).boost(3))
                        .should(new ConstantScoreQueryBuilder(in("a", "1")).boost(2))
                        .should(new ConstantScoreQueryBuilder(in("a", "2")).boost(1)),
                Places.inOrder(List.of(B1, A1, A2)));
    }

    private static BoolQueryBuilder in(String index, String... ids) {
        return new BoolQueryBuilder()
                .filter(new TermQueryBuilder("_index", index))
                .filter(new IdsQueryBuilder().addIds(ids));
    }
}
