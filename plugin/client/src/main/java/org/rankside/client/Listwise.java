package org.rankside.client;

import java.io.IOException;
import java.util.Map;

/** {@code POST /v1/listwise}: E2Rank's fast path, one forward pass and one vector. */
public final class Listwise {
    /** Where it is, below an address. */
    public static final String PATH = "/v1/listwise";

    private Listwise() {}

    /**
     * What is asked.
     *
     * @param dimensions of the stored vectors; 0: not known
     * @param promptHits 0: the model's own number
     */
    public record Call(Question question, int dimensions, int promptHits) {

        /** The call as JSON has it; what is not known is left out. */
        public Map<String, Object> written() {
            Map<String, Object> call = question.written();
            Hit.putUnlessNull(call, "dimensions", dimensions == 0 ? null : dimensions);
            Hit.putUnlessNull(call, "prompt_hits", promptHits == 0 ? null : promptHits);
            return call;
        }
    }

    /**
     * What is answered: order documents by {@code cos(vector, document) + firstStageWeight * _score}.
     *
     * @param vector null where the search is to be left as it was
     * @param status reranked, partial or passed_through
     * @param reason null where there is nothing to explain
     * @param signals weight of each signal in the vector
     * @param timings milliseconds by stage in the sidecar
     */
    public record Answer(
            float[] vector,
            double firstStageWeight,
            String status,
            String reason,
            Model model,
            Map<String, Object> signals,
            Map<String, Object> timings) {

        /**
         * The answer in a JSON object.
         *
         * @throws IOException something is missing, of a wrong type, not finite, or contradicts itself
         */
        public static Answer read(Map<String, Object> answer) throws IOException {
            Fields fields = new Fields(answer);
            String status = fields.text("status");
            Object vector = answer.get("vector");
            double weight = fields.number("first_stage_weight");
            if (!Double.isFinite(weight) || weight < 0) {
                throw new IOException("first_stage_weight is " + weight);
            }
            if ((vector == null) != status.equals("passed_through")) {
                throw new IOException("status is " + status + ", and the vector says otherwise");
            }
            return new Answer(
                    vector == null ? null : Vectors.read(vector),
                    weight,
                    status,
                    fields.textOrNull("reason"),
                    Model.read(fields.object("model")),
                    fields.object("signals").all(),
                    fields.object("timings_ms").all());
        }
    }
}
