package org.rankside.elasticsearch.vector;

import java.io.IOException;
import org.apache.lucene.search.MatchNoDocsQuery;
import org.apache.lucene.search.Query;
import org.elasticsearch.TransportVersion;
import org.elasticsearch.common.io.stream.StreamInput;
import org.elasticsearch.common.io.stream.StreamOutput;
import org.elasticsearch.index.mapper.KeywordFieldMapper.KeywordFieldType;
import org.elasticsearch.index.mapper.MappedFieldType;
import org.elasticsearch.index.mapper.Mapper;
import org.elasticsearch.index.mapper.vectors.DenseVectorFieldMapper.DenseVectorFieldType;
import org.elasticsearch.index.query.LeafQueryBuilder;
import org.elasticsearch.index.query.SearchExecutionContext;
import org.elasticsearch.xcontent.ConstructingObjectParser;
import org.elasticsearch.xcontent.ObjectParser.ValueType;
import org.elasticsearch.xcontent.ParseField;
import org.elasticsearch.xcontent.XContentBuilder;
import org.elasticsearch.xcontent.XContentParser;
import org.rankside.client.Vectors;
import org.rankside.lucene.HashField;
import org.rankside.lucene.VectorClause;
import org.rankside.lucene.VectorField;
import org.rankside.lucene.VectorQuery;
import org.rankside.search.Comparison;

/**
 * Scores documents 1 + the cosine of a given vector and their own, of any {@code dense_vector}
 * field but one of bits.
 *
 * <pre>
 * {"rankside_vector": {"field": "rankside_vector", "vector": "base64 or [0.1, …]",
 *                      "hash_field": "rankside_hash", "fingerprint": "…"}}
 * </pre>
 *
 * Documents without a vector that has a direction do not match, nor do those whose hash field names
 * another fingerprint than the one given.
 */
public final class VectorQueryBuilder extends LeafQueryBuilder<VectorQueryBuilder> {
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
    public String getWriteableName() {
        return NAME;
    }

    /** Any: a node that has this plugin reads it, and another knows no query of this name. */
    @Override
    public TransportVersion getMinimalSupportedVersion() {
        return TransportVersion.zero();
    }

    @Override
    protected Query doToQuery(SearchExecutionContext context) throws IOException {
        MappedFieldType type = context.getFieldType(clause.field());
        if (type == null) {
            return new MatchNoDocsQuery("field " + clause.field() + " is not mapped");
        }
        if (!(type instanceof DenseVectorFieldType dense)) {
            throw VectorField.ofAnotherType(clause.field(), type.typeName(), DenseField.TYPE);
        }
        Mapper mapper = context.getMappingLookup().getMapper(type.name());
        DenseField field = new DenseField(dense, context.indexVersionCreated());
        return new VectorQuery(
                field.of(mapper, clause.vector().length), hashes(context), clause.vector());
    }

    /** Null where none are asked for, or no document can have one. */
    private HashField hashes(SearchExecutionContext context) {
        String name = clause.hashField();
        MappedFieldType type = name == null ? null : context.getFieldType(name);
        if (type == null) {
            return null;
        }
        // Those of a columnar index keep their values in doc values of another form.
        if (!(type instanceof KeywordFieldType keyword)
                || !keyword.hasDocValues()
                || keyword.usesBinaryDocValues()) {
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
        boostAndQueryNameToXContent(builder);
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
