package org.rankside.opensearch.search;

import java.io.IOException;
import org.opensearch.core.common.io.stream.StreamOutput;
import org.opensearch.core.xcontent.XContentBuilder;
import org.opensearch.search.SearchExtBuilder;

/** What another plugin says in {@code ext}. */
final class Other extends SearchExtBuilder {
    @Override
    public String getWriteableName() {
        return "other";
    }

    @Override
    public void writeTo(StreamOutput out) {}

    @Override
    public XContentBuilder toXContent(XContentBuilder builder, Params params) throws IOException {
        return builder.startObject("other").field("said", "theirs").endObject();
    }

    @Override
    public boolean equals(Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return 1;
    }
}
