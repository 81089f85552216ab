package org.rankside.opensearch.vector;

import java.io.IOException;
import org.apache.lucene.search.MatchNoDocsQuery;
import org.apache.lucene.search.Query;
import org.opensearch.core.ParseField;
import org.opensearch.core.common.io.stream.StreamInput;
import org.opensearch.core.common.io.stream.StreamOutput;
import org.opensearch.core.xcontent.ConstructingObjectParser;
import org.opensearch.core.xcontent.ObjectParser.ValueType;
import org.opensearch.core.xcontent.XContentBuilder;
import org.opensearch.core.xcontent.XContentParser;
import org.opensearch.index.mapper.KeywordFieldMapper;
import org.opensearch.index.mapper.MappedFieldType;
import org.opensearch.index.mapper.Mapper;
import org.opensearch.index.query.AbstractQueryBuilder;
import org.opensearch.index.query.QueryShardContext;
import org.opensearch.index.query.WithFieldName;
import org.rankside.client.Vectors;
import org.rankside.lucene.HashField;
import org.rankside.lucene.VectorClause;
import org.rankside.lucene.VectorField;
import org.rankside.lucene.VectorQuery;
import org.rankside.search.Comparison;

/**
 * Scores documents 1 + the cosine of a given vector and their own, of any {@code knn_vector} field
 * but a binary one.
 *
 * <pre>
 * {"rankside_vector": {"field": "rankside_vector", "vector": "base64 or [0.1, …]",
 *                      "hash_field": "rankside_hash", "fingerprint": "…"}}
 * </pre>
 *
 * Documents without a vector that has a direction do not match, nor do those whose hash field names
 * another fingerprint than the one given.
 */
public final class VectorQueryBuilder extends AbstractQueryBuilder<VectorQueryBuilder>
        implements WithFieldName {
    public static final String NAME = VectorClause.NAME;

    private static final ParseField FIELD = new ParseField("field");
    private static final ParseField VECTOR = new ParseField("vector");
    private static final ParseField HASH_FIELD = new ParseField("hash_field");
    private static final ParseField FINGERPRINT = new ParseField("fingerprint");
    private static final ConstructingObjectParser<VectorQueryBuilder, Void> PARSER = parser();

    private Comparison clause;

    /**
     * Compares {@code vector} with those in {@code field}.
     *
     * @throws IllegalArgumentException the vector has no direction: it is empty, zero or not finite
     */
    public VectorQueryBuilder(String field, float[] vector) {
        this(new Comparison(field, vector));
    }

    /**
     * Compares as {@code asked}.
     *
     * @throws IllegalArgumentException a part is missing, or the vector has no direction
     */
    public VectorQueryBuilder(Comparison asked) {
        clause = VectorClause.checked(asked);
    }

    /** As another node sent it. */
    public VectorQueryBuilder(StreamInput in) throws IOException {
        super(in);
        clause =
                VectorClause.checked(
                        new Comparison(
                                in.readString(),
                                in.readFloatArray(),
                                in.readOptionalString(),
                                in.readOptionalString()));
    }

    /**
     * Leaves out documents whose keyword {@code hashField}, {@code <fingerprint>:<text hash>}, names
     * another fingerprint. One without a hash is compared.
     */
    public VectorQueryBuilder hashes(String hashField, String fingerprint) {
        clause = VectorClause.among(clause, hashField, fingerprint);
        return this;
    }

    /** The query that {@code parser} is at the beginning of. */
    public static VectorQueryBuilder fromXContent(XContentParser parser) {
        return PARSER.apply(parser, null);
    }

    @Override
    public String fieldName() {
        return clause.field();
    }

    @Override
    public String getWriteableName() {
        return NAME;
    }

    @Override
    protected Query doToQuery(QueryShardContext context) throws IOException {
        MappedFieldType type = context.fieldMapper(clause.field());
        if (type == null) {
            return new MatchNoDocsQuery("field " + clause.field() + " is not mapped");
        }
        if (!KnnField.TYPE.equals(type.typeName())) {
            throw VectorField.ofAnotherType(clause.field(), type.typeName(), KnnField.TYPE);
        }
        Mapper mapper = context.getMapperService().documentMapper().mappers().getMapper(type.name());
        VectorField field = KnnField.of(mapper, clause.vector().length);
        return new VectorQuery(field, hashes(context), clause.vector());
    }

    /** Null where none are asked for, or no document can have one. */
    private HashField hashes(QueryShardContext context) {
        String name = clause.hashField();
        MappedFieldType type = name == null ? null : context.fieldMapper(name);
        if (type == null) {
            return null;
        }
        if (!KeywordFieldMapper.CONTENT_TYPE.equals(type.typeName()) || !type.hasDocValues()) {
            throw HashField.noHashes(name);
        }
        return new HashField(type.name(), clause.fingerprint());
    }

    @Override
    protected void doWriteTo(StreamOutput out) throws IOException {
        out.writeString(clause.field());
        out.writeFloatArray(clause.vector());
        out.writeOptionalString(clause.hashField());
        out.writeOptionalString(clause.fingerprint());
    }

    @Override
    protected void doXContent(XContentBuilder builder, Params params) throws IOException {
        builder.startObject(NAME);
        builder.field(FIELD.getPreferredName(), clause.field());
        builder.field(VECTOR.getPreferredName(), Vectors.write(clause.vector()));
        if (clause.hashField() != null) {
            builder.field(HASH_FIELD.getPreferredName(), clause.hashField());
            builder.field(FINGERPRINT.getPreferredName(), clause.fingerprint());
        }
        printBoostAndQueryName(builder);
        builder.endObject();
    }

    @Override
    protected boolean doEquals(VectorQueryBuilder other) {
        return clause.equals(other.clause);
    }

    @Override
    protected int doHashCode() {
        return clause.hashCode();
    }

    private static ConstructingObjectParser<VectorQueryBuilder, Void> parser() {
        ConstructingObjectParser<VectorQueryBuilder, Void> parser =
                new ConstructingObjectParser<>(NAME, false, VectorQueryBuilder::ofArguments);
        parser.declareString(ConstructingObjectParser.constructorArg(), FIELD);
        parser.declareField(
                ConstructingObjectParser.constructorArg(),
                VectorQueryBuilder::vector,
                VECTOR,
                ValueType.OBJECT_ARRAY_OR_STRING);
        parser.declareString(ConstructingObjectParser.optionalConstructorArg(), HASH_FIELD);
        parser.declareString(ConstructingObjectParser.optionalConstructorArg(), FINGERPRINT);
        declareStandardFields(parser);
        return parser;
    }

    private static VectorQueryBuilder ofArguments(Object[] given) {
        VectorQueryBuilder made = new VectorQueryBuilder((String) given[0], (float[]) given[1]);
        boolean hashes = given[2] != null || given[3] != null;
        return hashes ? made.hashes((String) given[2], (String) given[3]) : made;
    }

    private static float[] vector(XContentParser parser) throws IOException {
        return VectorClause.given(
                switch (parser.currentToken()) {
                    case VALUE_STRING -> parser.text();
                    case START_ARRAY -> parser.list();
                    default -> null;
                });
    }
}
