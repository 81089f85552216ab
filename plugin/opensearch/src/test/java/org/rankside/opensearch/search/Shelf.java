package org.rankside.opensearch.search;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.apache.lucene.search.TotalHits;
import org.opensearch.action.search.SearchRequest;
import org.opensearch.action.search.SearchResponse;
import org.opensearch.action.search.ShardSearchFailure;
import org.opensearch.core.action.ActionListener;
import org.opensearch.index.query.BoolQueryBuilder;
import org.opensearch.index.query.IdsQueryBuilder;
import org.opensearch.index.query.QueryBuilder;
import org.opensearch.index.query.TermQueryBuilder;
import org.opensearch.search.SearchHit;
import org.opensearch.search.SearchHits;
import org.opensearch.search.builder.SearchSourceBuilder;
import org.opensearch.search.fetch.subphase.FetchSourceContext;
import org.opensearch.search.internal.InternalSearchResponse;
import org.rankside.search.Place;

/**
 * A few documents that every user's query finds, in an engine that gives of them what a search asks
 * for and nothing more.
 */
final class Shelf implements Engine.Answer {
    static final String TEXT = "text";
    static final String VECTOR = "v";
    static final String HASH = "h";

    /** What {@link Place}s a query for documents by vector finds, and how it scores them. */
    final Map<Place, Float> byVector = new HashMap<>();
    private final List<Document> documents = new ArrayList<>();

    /** One document; what is null it has not. */
    record Document(Place place, float score, String text, List<Object> vector, String hash) {
        Document text(String other) {
            return new Document(place, score, other, vector, hash);
        }

        Document vector(List<Object> other) {
            return new Document(place, score, text, other, hash);
        }

        Document hash(String other) {
            return new Document(place, score, text, vector, other);
        }
    }

    /** So many documents 1, 2, … of the index {@code i}, all embedded, the first one scored highest. */
    Shelf(int count) {
        for (int at = 1; at <= count; at++) {
            documents.add(
                    new Document(
                            place(at), count + 1f - at, "text " + at, List.of(1, at), "f:hash"));
        }
    }

    static Place place(int number) {
        return new Place("i", "" + number);
    }

    /** Makes another one of the {@code number}th document. */
    void change(int number, UnaryOperator<Document> change) {
        documents.set(number - 1, change.apply(documents.get(number - 1)));
    }

    @Override
    public void to(SearchRequest request, ActionListener<SearchResponse> listener) {
        SearchSourceBuilder source = request.source();
        SearchHit[] hits =
                found(source.query())
                        .sorted(Comparator.comparing(Document::score).reversed())
                        .limit(source.size())
                        .map(one -> hit(one, source))
                        .toArray(SearchHit[]::new);
        listener.onResponse(response(hits));
    }

    static SearchResponse response(SearchHit... hits) {
        SearchHits all =
                new SearchHits(hits, new TotalHits(hits.length, TotalHits.Relation.EQUAL_TO), 1);
        return new SearchResponse(
                new InternalSearchResponse(all, null, null, null, false, null, 1),
                null, 1, 1, 0, 1, ShardSearchFailure.EMPTY_ARRAY, SearchResponse.Clusters.EMPTY);
    }

    private Stream<Document> found(QueryBuilder query) {
        List<Place> among = among(query);
        if (among != null) {
            return documents.stream().filter(one -> among.contains(one.place));
        }
        if (query instanceof BoolQueryBuilder only && only.filter().size() == 1) {
            List<Place> places = among(only.filter().get(0));
            return documents.stream()
                    .filter(one -> places.contains(one.place) && byVector.containsKey(one.place))
                    .map(one -> new Document(
                            one.place, byVector.get(one.place), one.text, one.vector, one.hash));
        }
        return documents.stream();
    }

    /** The places that a query is for; null where it is for no places. */
    static List<Place> among(QueryBuilder query) {
        if (!(query instanceof BoolQueryBuilder bool)) {
            return null;
        }
        if (!bool.should().isEmpty()) {
            return bool.should().stream().map(Shelf::among).flatMap(List::stream).toList();
        }
        return bool.filter().size() == 2
                        && bool.filter().get(0) instanceof TermQueryBuilder term
                        && bool.filter().get(1) instanceof IdsQueryBuilder ids
                ? ids.ids().stream().sorted().map(id -> new Place("" + term.value(), id)).toList()
                : null;
    }

    private static SearchHit hit(Document one, SearchSourceBuilder asked) {
        FetchSourceContext fetched =
                asked.fetchSource() == null ? FetchSourceContext.FETCH_SOURCE : asked.fetchSource();
        boolean filtered = fetched.includes().length > 0;
        String source = null;
        if (fetched.fetchSource()) {
            boolean shown = !filtered || Arrays.asList(fetched.includes()).contains(TEXT);
            source = one.text == null || !shown ? "{}" : "{'" + TEXT + "': '" + one.text + "'}";
        }
        Map<String, List<Object>> fields = new HashMap<>();
        boolean hash =
                asked.docValueFields() != null
                        && asked.docValueFields().stream().anyMatch(field -> field.field.equals(HASH));
        if (hash && one.hash != null) {
            fields.put(HASH, List.of(one.hash));
        }
        // Derived from a source that is filtered, a vector is missing.
        boolean vector = asked.fetchFields() != null && !filtered;
        if (vector && one.vector != null) {
            fields.put(VECTOR, one.vector);
        }
        return Hits.hit(one.place.index(), one.place.id(), one.score, source, fields);
    }
}
