package org.rankside.opensearch.search;

import java.io.IOException;
import org.apache.lucene.search.Query;
import org.opensearch.core.common.io.stream.StreamOutput;
import org.opensearch.core.xcontent.XContentBuilder;
import org.opensearch.index.query.AbstractQueryBuilder;
import org.opensearch.index.query.QueryBuilder;
import org.opensearch.index.query.QueryShardContext;

/** A query of another plugin, by its name, around others. */
final class Named extends AbstractQueryBuilder<Named> {
    private final String name;
    private final QueryBuilder[] inner;

    Named(String name, QueryBuilder... inner) {
        this.name = name;
        this.inner = inner;
    }

    @Override
    public String getWriteableName() {
        return name;
    }

    @Override
    protected void doXContent(XContentBuilder builder, Params params) throws IOException {
        builder.startObject(name).startArray("queries");
        for (QueryBuilder one : inner) {
            one.toXContent(builder, params);
        }
        builder.endArray().endObject();
    }

    @Override
    protected void doWriteTo(StreamOutput out) {}

    @Override
    protected Query doToQuery(QueryShardContext context) {
        throw new UnsupportedOperationException("nothing is searched here");
    }

    @Override
    protected boolean doEquals(Named other) {
        return name.equals(other.name);
    }

    @Override
    protected int doHashCode() {
        return name.hashCode();
    }
}
