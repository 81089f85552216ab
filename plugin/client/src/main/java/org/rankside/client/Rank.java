package org.rankside.client;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** {@code POST /v1/rank}: an order over every hit sent, by an LLM where InsertRank is asked for. */
public final class Rank {
    /** Where it is, below an address. */
    public static final String PATH = "/v1/rank";

    private static final String SETTLED = "head_settled";

    private Rank() {}

    /**
     * What is asked.
     *
     * @param strategy insertrank or cascade
     * @param llmMillis of the question's time, the most that the LLM may take; null: all of it
     * @param windowScores where the first half of a cascade is done: the scores it gave, falling; the
     *     sidecar may say that they settle the head
     */
    public record Call(
            Question question, String strategy, Double llmMillis, List<Double> windowScores) {

        /** The call as JSON has it. */
        public Map<String, Object> written() {
            Map<String, Object> call = question.written();
            call.put("strategy", strategy);
            Hit.putUnlessNull(call, "llm_deadline_ms", llmMillis);
            Hit.putUnlessNull(call, "window_scores", windowScores);
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

        /** Whether it leaves the hits as they were for the scores that came with them. */
        public boolean settled() {
            return reason != null && reason.startsWith(SETTLED);
        }

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
            List<Hit> hits = call.question().hits();
            Set<String> sent = new HashSet<>(hits.stream().map(Hit::id).toList());
            if (ids.size() != hits.size() || !sent.equals(new HashSet<>(ids))) {
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
