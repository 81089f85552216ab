package org.rankside.opensearch.vector;

import java.io.IOException;
import java.util.Arrays;
import java.util.Objects;
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
    public static final String NAME = "rankside_vector";

    private static final ParseField FIELD = new ParseField("field");
    private static final ParseField VECTOR = new ParseField("vector");
    private static final ParseField HASH_FIELD = new ParseField("hash_field");
    private static final ParseField FINGERPRINT = new ParseField("fingerprint");
    private static final ConstructingObjectParser<VectorQueryBuilder, Void> PARSER = parser();

    private final String field;
    private final float[] vector;
    private String hashField;
    private String fingerprint;

    /**
     * Compares {@code vector} with those in {@code field}.
     *
     * @throws IllegalArgumentException the vector has no direction: it is empty, zero or not finite
     */
    public VectorQueryBuilder(String field, float[] vector) {
        this.field = requireValue(field, "[" + NAME + "] needs [field], that of the document vectors");
        this.vector = requireValue(vector, "[" + NAME + "] needs [vector]").clone();
        if (Float.isNaN(new Cosine(this.vector).with(this.vector))) {
            throw new IllegalArgumentException(
                    "[" + NAME + "] cannot compare a [vector] that is empty, zero or not finite; "
                            + "give one with a direction");
        }
    }

    /** As another node sent it. */
    public VectorQueryBuilder(StreamInput in) throws IOException {
        super(in);
        field = in.readString();
        vector = in.readFloatArray();
        hashField = in.readOptionalString();
        fingerprint = in.readOptionalString();
    }

    /**
     * Leaves out documents whose keyword {@code hashField}, {@code <fingerprint>:<text hash>}, names
     * another fingerprint. One without a hash is compared.
     */
    public VectorQueryBuilder hashes(String hashField, String fingerprint) {
        if (hashField == null || hashField.isEmpty() || fingerprint == null || fingerprint.isEmpty()) {
            throw new IllegalArgumentException(
                    "[" + NAME + "] needs [hash_field] and [fingerprint] both, or neither");
        }
        this.hashField = hashField;
        this.fingerprint = fingerprint;
        return this;
    }

    /** The query that {@code parser} is at the beginning of. */
    public static VectorQueryBuilder fromXContent(XContentParser parser) {
        return PARSER.apply(parser, null);
    }

    @Override
    public String fieldName() {
        return field;
    }

    @Override
    public String getWriteableName() {
        return NAME;
    }

    @Override
    protected Query doToQuery(QueryShardContext context) throws IOException {
        MappedFieldType type = context.fieldMapper(field);
        if (type == null) {
            return new MatchNoDocsQuery("field " + field + " is not mapped");
        }
        if (!VectorField.TYPE.equals(type.typeName())) {
            throw new IllegalArgumentException(
                    "field " + field + " is " + type.typeName() + ", not " + VectorField.TYPE
                            + "; name the field of the document vectors");
        }
        Mapper mapper = context.getMapperService().documentMapper().mappers().getMapper(type.name());
        return new VectorQuery(VectorField.of(mapper, vector.length), hashes(context), vector);
    }

    /** Null where none are asked for, or no document can have one. */
    private HashField hashes(QueryShardContext context) {
        MappedFieldType type = hashField == null ? null : context.fieldMapper(hashField);
        if (type == null) {
            return null;
        }
        if (!KeywordFieldMapper.CONTENT_TYPE.equals(type.typeName()) || !type.hasDocValues()) {
            throw new IllegalArgumentException(
                    "field " + hashField + " is no keyword with doc values, so it holds no hashes; "
                            + "leave out [hash_field] or rebuild the index");
        }
        return new HashField(type.name(), fingerprint);
    }

    @Override
    protected void doWriteTo(StreamOutput out) throws IOException {
        out.writeString(field);
        out.writeFloatArray(vector);
        out.writeOptionalString(hashField);
        out.writeOptionalString(fingerprint);
    }

    @Override
    protected void doXContent(XContentBuilder builder, Params params) throws IOException {
        builder.startObject(NAME);
        builder.field(FIELD.getPreferredName(), field);
        builder.field(VECTOR.getPreferredName(), Vectors.write(vector));
        if (hashField != null) {
            builder.field(HASH_FIELD.getPreferredName(), hashField);
            builder.field(FINGERPRINT.getPreferredName(), fingerprint);
        }
        printBoostAndQueryName(builder);
        builder.endObject();
    }

    @Override
    protected boolean doEquals(VectorQueryBuilder other) {
        return field.equals(other.field)
                && Arrays.equals(vector, other.vector)
                && Objects.equals(hashField, other.hashField)
                && Objects.equals(fingerprint, other.fingerprint);
    }

    @Override
    protected int doHashCode() {
        return Objects.hash(field, Arrays.hashCode(vector), hashField, fingerprint);
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
        Object given = switch (parser.currentToken()) {
            case VALUE_STRING -> parser.text();
            case START_ARRAY -> parser.list();
            default -> null;
        };
        try {
            return Vectors.read(given);
        } catch (IOException error) {
            throw new IllegalArgumentException(
                    "[" + NAME + "] cannot use [vector] (" + error.getMessage()
                            + "); give base64 of little-endian float32, or an array of numbers",
                    error);
        }
    }
}
