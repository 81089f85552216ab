package org.rankside.opensearch.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.opensearch.action.search.SearchRequest;
import org.opensearch.index.query.MatchAllQueryBuilder;
import org.opensearch.index.query.TermQueryBuilder;
import org.opensearch.search.builder.SearchSourceBuilder;
import org.opensearch.search.rescore.QueryRescorerBuilder;
import org.rankside.search.Judgement;
import org.rankside.search.Parameters;
import org.rankside.search.PassThrough;

class RerankTest {
    private static final QueryRescorerBuilder USERS =
            new QueryRescorerBuilder(new TermQueryBuilder("new", true));
    private static final QueryRescorerBuilder OURS =
            new QueryRescorerBuilder(new MatchAllQueryBuilder()).setQueryWeight(0.5f);

    private final SearchRequest request =
            new SearchRequest("i").source(new SearchSourceBuilder().size(7)).pipeline("reranked");

    @Test
    void aSearchThatWasRerankedSaysHow() {
        Rerank rerank = begun("{'url': 'http://a:1', 'strategy': 'cascade'}");
        rerank.rescored(judgement(), List.of(OURS));
        Map<String, Object> report = report(rerank);
        assertEquals(
                Set.of("sidecar_own", "total"), Cases.objectAt(report, "timings_ms").keySet());
        assertEquals(2.5, Cases.objectAt(report, "timings_ms").get("sidecar_own"));
        report.remove("timings_ms");
        assertEquals(
                Map.of("status", "reranked", "strategy", "cascade", "method", "rescore", "model", "m"),
                report);
    }

    @Test
    void whatIsNotAllDoneSaysWhy() {
        Rerank rerank = begun("{'url': 'http://a:1'}");
        rerank.reordered(judgement("not_embedded:2", "no_vectors_in:plain"));
        Map<String, Object> report = report(rerank);
        assertEquals("partial", report.get("status"));
        assertEquals("not_embedded:2; no_vectors_in:plain", report.get("reason"));
        assertEquals("reorder", report.get("method"));
    }

    @Test
    void whatIsLeftAsItWasSaysWhyAndWhatToDoWhereItFailed() {
        Rerank rerank = begun("{'url': 'http://a:1'}");
        rerank.pass(new PassThrough("overloaded", "the sidecar is busy; add another"));
        Map<String, Object> report = report(rerank);
        report.remove("timings_ms");
        assertEquals(
                Map.of(
                        "status", "passed_through",
                        "reason", "overloaded",
                        "detail", "the sidecar is busy; add another",
                        "strategy", "e2rank"),
                report);
        rerank.pass(new PassThrough("size_0"));
        assertFalse(report(rerank).containsKey("detail"));
    }

    @Test
    void theLastWordCounts() {
        Rerank rerank = begun("{'url': 'http://a:1'}");
        rerank.pass(new PassThrough("wrong_request"));
        rerank.rescored(judgement(), List.of(OURS));
        assertEquals("reranked", rerank.status());
        assertNull(rerank.reason());
        rerank.pass(new PassThrough("rescore_refused", "no"));
        assertEquals("passed_through", rerank.status());
        assertEquals("rescore_refused", rerank.reason());
    }

    @Test
    void theUsersOwnRequestIsTimedOnceItIsHandedOver() {
        Rerank rerank = begun("{'url': 'http://a:1'}");
        rerank.handedBack();
        assertFalse(rerank.timings().all().containsKey("rescore"));
        rerank.handOver();
        rerank.handedBack();
        Object first = rerank.timings().all().get("rescore");
        rerank.handedBack();
        assertEquals(first, rerank.timings().all().get("rescore"));
    }

    @Test
    void thePlainRequestIsTheUsersWithoutOurs() {
        Rerank rerank = begun("{'url': 'http://a:1'}");
        request.source().addRescorer(OURS).size(100).from(0);
        rerank.rescored(judgement(), List.of(OURS));
        assertTrue(rerank.changed());
        SearchRequest plain = rerank.plain();
        assertEquals(7, plain.source().size());
        assertNull(plain.source().rescores());
        assertEquals("reranked", plain.pipeline());
        assertEquals(Map.of("strategy", "none"), RanksideExt.of(plain.source()));
    }

    @Test
    void thePlainRequestKeepsTheUsersRescorersAndWords() {
        Other other = new Other();
        request.source()
                .addRescorer(USERS)
                .ext(List.of(other, new RanksideExt(Map.of("window", 5, "strategy", "cascade"))));
        Rerank rerank = begun("{'url': 'http://a:1'}");
        request.source().addRescorer(OURS);
        rerank.rescored(judgement(), List.of(OURS));
        SearchSourceBuilder plain = rerank.plain().source();
        assertEquals(List.of(USERS), plain.rescores());
        assertEquals(Map.of("window", 5, "strategy", "none"), RanksideExt.of(plain));
        assertTrue(plain.ext().contains(other));
    }

    @Test
    void aSearchWithoutATaskOrABodyIsOneToo() {
        Rerank rerank = new Rerank(new SearchRequest(), null);
        assertEquals(0, rerank.task());
        assertFalse(rerank.explains());
        assertNull(rerank.parameters());
        assertEquals(42, new Rerank(request, Engine.task(42)).task());
    }

    private Rerank begun(String pipeline) {
        Rerank rerank = new Rerank(request, null);
        rerank.begin(Parameters.ofPipeline(Cases.object(pipeline)));
        return rerank;
    }

    private static Judgement judgement(String... reasons) {
        return new Judgement(List.of(), List.of(), "m", Map.of(), List.of(reasons), null, 2.5);
    }

    private static Map<String, Object> report(Rerank rerank) {
        return RanksideExt.of(new SearchSourceBuilder().ext(List.of(rerank.report())));
    }
}
