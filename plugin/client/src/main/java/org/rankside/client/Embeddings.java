package org.rankside.client;

import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** {@code POST /v1/embeddings}: document vectors of texts. */
public final class Embeddings {
    /** Where it is, below an address. */
    public static final String PATH = "/v1/embeddings";

    private Embeddings() {}

    /**
     * What is asked.
     *
     * @param fingerprint of the model that is to make the vectors: another refuses with 409
     */
    public record Call(List<String> texts, String fingerprint) {

        /** The call as JSON has it. */
        public Map<String, Object> written() {
            Map<String, Object> call = new LinkedHashMap<>();
            call.put("input", texts.stream().map(DocumentText::whole).toList());
            call.put("input_type", "document");
            call.put("encoding_format", "base64");
            call.put("vector_fingerprint", fingerprint);
            return call;
        }
    }

    /**
     * What is answered.
     *
     * @param vectors one for each text, in their order; null where it is NaN, infinite or zero
     */
    public record Answer(List<float[]> vectors) {

        /**
         * The answer in a JSON object. One vector that cannot be used does not spoil the others.
         *
         * @param call what was asked
         * @throws IOException something is missing, or there is not one vector for each text
         */
        public static Answer read(Map<String, Object> answer, Call call) throws IOException {
            List<?> rows = new Fields(answer).list("data");
            int texts = call.texts().size();
            if (rows.size() != texts) {
                throw new IOException("it has " + rows.size() + " vectors for " + texts + " texts");
            }
            float[][] vectors = new float[texts][];
            boolean[] seen = new boolean[texts];
            for (Object row : rows) {
                Fields fields = Fields.object("a row", row);
                int index = fields.count("index");
                if (index >= texts || seen[index]) {
                    throw new IOException("it has a vector " + index + " too many");
                }
                seen[index] = true;
                vectors[index] = usable(fields.all().get("embedding"));
            }
            return new Answer(Arrays.asList(vectors));
        }

        private static float[] usable(Object embedding) {
            try {
                return Vectors.read(embedding);
            } catch (IOException unusable) {
                return null;
            }
        }
    }
}
