package org.rankside.elasticsearch.search;

import java.io.IOException;
import java.util.Map;
import org.elasticsearch.common.ParsingException;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.search.SearchExtBuilder;
import org.elasticsearch.xcontent.XContentBuilder;
import org.elasticsearch.xcontent.XContentParser;

/** Tells the data nodes where the hits of a window were, for each hit to say it. */
public final class BeforeExt extends SearchExtBuilder {
    /** Its name between nodes. */
    public static final String NAME = "rankside";

    private final Map<String, Object> before;

    /** By the names of their places. */
    BeforeExt(Map<String, Object> before) {
        this.before = before;
    }

    /** As another node sent it. */
    public BeforeExt(StreamInput in) throws IOException {
        this(in.readGenericMap());
    }

    /** Not for a request to say. */
    public static BeforeExt parse(XContentParser parser) {
        throw new ParsingException(
                parser.getTokenLocation(),
                "Elasticsearch has no ext.rankside; put it into the retriever rankside");
    }

    /** What is known of a hit, or null. */
    Object of(String place) {
        return before.get(place);
    }

    @Override
    public String getWriteableName() {
        return NAME;
    }

    @Override
    public void writeTo(StreamOutput out) throws IOException {
        out.writeGenericMap(before);
    }

    @Override
    public XContentBuilder toXContent(XContentBuilder builder, Params params) throws IOException {
        return builder.field(NAME, before);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof BeforeExt one && before.equals(one.before);
    }

    @Override
    public int hashCode() {
        return before.hashCode();
    }
}
