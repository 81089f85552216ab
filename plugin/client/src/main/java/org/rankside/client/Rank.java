package org.rankside.client;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** {@code POST /v1/rank}: an order over every hit sent, by an LLM where InsertRank is asked for. */
public final class Rank {
    /** Where it is, below an address. */
    public static final String PATH = "/v1/rank";

    private Rank() {}

    /**
     * What is asked.
     *
     * @param strategy insertrank or cascade
     * @param deadlineMillis how long an answer is of use
     * @param vectorFingerprint of the model that made the stored vectors; null: not known
     */
    public record Call(
            String query,
            List<Hit> hits,
            String strategy,
            double deadlineMillis,
            String vectorFingerprint,
            String instruction,
            Map<String, Double> fusion) {

        /** The call as JSON has it; what is not known is left out. */
        public Map<String, Object> written() {
            Map<String, Object> call = new LinkedHashMap<>();
            call.put("query", query);
            call.put("hits", hits.stream().map(Hit::written).toList());
            call.put("strategy", strategy);
            call.put("deadline_ms", deadlineMillis);
            Hit.putUnlessNull(call, "vector_fingerprint", vectorFingerprint);
            Hit.putUnlessNull(call, "instruction", instruction);
            Hit.putUnlessNull(call, "fusion", fusion);
            return call;
        }
    }

    /**
     * What is answered.
     *
     * @param ids the ids of the hits sent, each once, best first
     * @param status reranked, partial or passed_through
     * @param reason null where there is nothing to explain
     * @param model null where none was asked
     * @param timings milliseconds by stage in the sidecar
     */
    public record Answer(
            List<String> ids, String status, String reason, Model model, Map<String, Object> timings) {

        /**
         * The answer in a JSON object.
         *
         * @param call what was asked
         * @throws IOException something is missing, or the hits are not those that were sent
         */
        public static Answer read(Map<String, Object> answer, Call call) throws IOException {
            Fields fields = new Fields(answer);
            List<String> ids = new ArrayList<>();
            for (Object result : fields.list("results")) {
                ids.add(Fields.object("results", result).text("id"));
            }
            Set<String> sent = new HashSet<>(call.hits().stream().map(Hit::id).toList());
            if (ids.size() != call.hits().size() || !sent.equals(new HashSet<>(ids))) {
                throw new IOException(
                        "it ranks " + ids.size() + " hits that are not the " + sent.size() + " sent");
            }
            boolean none = answer.get("model") == null;
            return new Answer(
                    List.copyOf(ids),
                    fields.text("status"),
                    fields.textOrNull("reason"),
                    none ? null : Model.read(fields.object("model")),
                    fields.object("timings_ms").all());
        }
    }
}
