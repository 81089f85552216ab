package org.rankside.elasticsearch.search;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import org.elasticsearch.action.ActionRequestValidationException;
import org.elasticsearch.action.ValidateActions;
import org.elasticsearch.common.xcontent.XContentParserUtils;
import org.elasticsearch.index.query.QueryBuilder;
import org.elasticsearch.index.query.QueryRewriteContext;
import org.elasticsearch.search.builder.SearchSourceBuilder;
import org.elasticsearch.search.retriever.RetrieverBuilder;
import org.elasticsearch.search.retriever.RetrieverParserContext;
import org.elasticsearch.xcontent.ObjectParser;
import org.elasticsearch.xcontent.ParseField;
import org.elasticsearch.xcontent.XContentBuilder;
import org.elasticsearch.xcontent.XContentParser;
import org.rankside.search.Parameters;

/** The retriever {@code rankside}: the first hits of another one, put in order by the sidecar. */
public final class RerankRetrieverBuilder extends RetrieverBuilder {
    /** Its name in a search. */
    public static final String NAME = "rankside";

    /** What it may say, beside a retriever and what all retrievers may. */
    static final List<String> PARAMETERS =
            List.of(
                    "query_text",
                    "text_fields",
                    "vector_field",
                    "rank_window_size",
                    "exact_window",
                    "prompt_hits",
                    "head",
                    "strategy",
                    "fusion",
                    "fingerprint",
                    "instruction",
                    "timeout",
                    "llm_timeout",
                    "on_failure");

    private static final ParseField RETRIEVER = new ParseField("retriever");
    private static final ObjectParser<RerankRetrieverBuilder, RetrieverParserContext> PARSER = parser();

    private final Map<String, Object> said = new TreeMap<>();
    private RetrieverBuilder inner;
    private Parameters parameters;
    private Reranker reranker;
    private long begun; // rewriting, in nanoseconds; 0: it has not

    private RerankRetrieverBuilder() {}

    private static ObjectParser<RerankRetrieverBuilder, RetrieverParserContext> parser() {
        ObjectParser<RerankRetrieverBuilder, RetrieverParserContext> parser =
                new ObjectParser<>(NAME, RerankRetrieverBuilder::new);
        parser.declareNamedObject(
                (made, inner) -> made.inner = inner,
                (json, context, name) -> {
                    RetrieverBuilder inner = json.namedObject(RetrieverBuilder.class, name, context);
                    context.trackRetrieverUsage(inner);
                    return inner;
                },
                RETRIEVER);
        for (String name : PARAMETERS) {
            parser.declareField(
                    (made, value) -> made.said.put(name, value),
                    (json, context) -> XContentParserUtils.parseFieldsValue(json),
                    new ParseField(name),
                    ObjectParser.ValueType.VALUE_OBJECT_ARRAY);
        }
        declareBaseParserFields(parser);
        return parser;
    }

    /** The retriever that {@code json} is at the beginning of. */
    public static RerankRetrieverBuilder fromXContent(
            XContentParser json, RetrieverParserContext context, Reranker reranker)
            throws IOException {
        RerankRetrieverBuilder made = PARSER.parse(json, context);
        if (made.inner == null) {
            throw new IllegalArgumentException(
                    "rankside has no retriever whose hits it could rerank; give it one as {\"standard\":"
                            + " {\"query\": …}}");
        }
        made.parameters = reranker.parameters(new TreeMap<>(made.said));
        made.reranker = reranker;
        return made;
    }

    Parameters parameters() {
        return parameters;
    }

    /** Has the core open a point in time, in which hits can be named by their number. */
    @Override
    public boolean isCompound() {
        return true;
    }

    @Override
    public RetrieverBuilder rewrite(QueryRewriteContext context) throws IOException {
        begun = begun == 0 ? System.nanoTime() : begun;
        List<QueryBuilder> filters = rewritePreFilters(context);
        if (filters != preFilterQueryBuilders) {
            return copy(inner, filters);
        }
        if (!preFilterQueryBuilders.isEmpty()) { // they are for what is retrieved
            inner.getPreFilterQueryBuilders().addAll(preFilterQueryBuilders);
            return copy(inner, new ArrayList<>());
        }
        RetrieverBuilder rewritten = inner.rewrite(context);
        if (rewritten != inner) {
            return copy(rewritten, preFilterQueryBuilders);
        }
        AtomicReference<Outcome> judged = new AtomicReference<>();
        reranker.judge(context, parameters, inner, begun, judged::set);
        RetrieverBuilder waiting = new JudgedRetriever(inner, parameters.window(), judged::get);
        return waiting.minScore(minScore).retrieverName(retrieverName);
    }

    private RerankRetrieverBuilder copy(RetrieverBuilder other, List<QueryBuilder> filters) {
        RerankRetrieverBuilder copy = new RerankRetrieverBuilder();
        copy.said.putAll(said);
        copy.inner = other;
        copy.parameters = parameters;
        copy.reranker = reranker;
        copy.begun = begun;
        copy.preFilterQueryBuilders = filters;
        copy.minScore = minScore;
        copy.retrieverName = retrieverName;
        return copy;
    }

    @Override
    public ActionRequestValidationException validate(
            SearchSourceBuilder source,
            ActionRequestValidationException already,
            boolean scrolls,
            boolean allowPartialSearchResults) {
        ActionRequestValidationException found =
                inner.validate(source, already, scrolls, allowPartialSearchResults);
        if (source.size() > parameters.window()) {
            found =
                    ValidateActions.addValidationError(
                            "[" + NAME + "] requires [rank_window_size: " + parameters.window()
                                    + "] be greater than or equal to [size: " + source.size() + "]",
                            found);
        }
        if (scrolls) {
            found =
                    ValidateActions.addValidationError(
                            "cannot specify [" + NAME + "] and [scroll]", found);
        }
        return found;
    }

    @Override
    public QueryBuilder topDocsQuery() {
        throw new IllegalStateException("it is not rewritten yet");
    }

    @Override
    public void extractToSearchSourceBuilder(SearchSourceBuilder source, boolean compoundUsed) {
        throw new IllegalStateException("it is not rewritten yet");
    }

    @Override
    public String getName() {
        return NAME;
    }

    @Override
    protected void doToXContent(XContentBuilder builder, Params params) throws IOException {
        builder.field(RETRIEVER.getPreferredName(), inner);
        for (Map.Entry<String, Object> one : said.entrySet()) {
            builder.field(one.getKey(), one.getValue());
        }
    }

    @Override
    protected boolean doEquals(Object other) {
        RerankRetrieverBuilder one = (RerankRetrieverBuilder) other;
        return said.equals(one.said) && inner.equals(one.inner);
    }

    @Override
    protected int doHashCode() {
        return Objects.hash(said, inner);
    }
}
