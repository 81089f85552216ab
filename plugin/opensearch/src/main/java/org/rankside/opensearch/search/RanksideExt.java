package org.rankside.opensearch.search;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.opensearch.core.common.ParsingException;
import org.opensearch.core.common.io.stream.StreamInput;
import org.opensearch.core.common.io.stream.StreamOutput;
import org.opensearch.core.xcontent.XContentBuilder;
import org.opensearch.core.xcontent.XContentParser;
import org.opensearch.search.SearchExtBuilder;
import org.opensearch.search.builder.SearchSourceBuilder;

/** {@code ext.rankside}: of a request what to do otherwise, of a response what was done. */
public final class RanksideExt extends SearchExtBuilder {
    /** Its name in {@code ext}. */
    public static final String NAME = "rankside";

    private final Map<String, Object> values;

    /** Of {@code values} as JSON has them. */
    public RanksideExt(Map<String, Object> values) {
        this.values = values;
    }

    /** Read from another node. */
    public RanksideExt(StreamInput in) throws IOException {
        this(in.readMap());
    }

    /** Read from a request. */
    public static RanksideExt parse(XContentParser parser) throws IOException {
        XContentParser.Token token = parser.currentToken();
        // The parser would make an empty object of whatever is none.
        if (token != XContentParser.Token.START_OBJECT && token != XContentParser.Token.VALUE_NULL) {
            throw new ParsingException(
                    parser.getTokenLocation(),
                    "ext.rankside is no object; write it as {\"strategy\": \"none\"}");
        }
        return new RanksideExt(parser.map());
    }

    /** A copy of what a request says, to take from. */
    static Map<String, Object> of(SearchSourceBuilder source) {
        return source.ext().stream()
                .filter(RanksideExt.class::isInstance)
                .map(one -> new LinkedHashMap<>(((RanksideExt) one).values))
                .findFirst()
                .orElseGet(LinkedHashMap::new);
    }

    /** {@code others} with this one in place of any of its kind. */
    List<SearchExtBuilder> among(List<SearchExtBuilder> others) {
        List<SearchExtBuilder> all =
                new ArrayList<>(
                        others.stream().filter(one -> !(one instanceof RanksideExt)).toList());
        all.add(this);
        return all;
    }

    @Override
    public String getWriteableName() {
        return NAME;
    }

    @Override
    public void writeTo(StreamOutput out) throws IOException {
        out.writeMap(values);
    }

    @Override
    public XContentBuilder toXContent(XContentBuilder builder, Params params) throws IOException {
        return builder.field(NAME, values);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof RanksideExt ext && values.equals(ext.values);
    }

    @Override
    public int hashCode() {
        return Objects.hash(NAME, values);
    }
}
