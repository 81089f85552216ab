package org.rankside.search;

import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.rankside.client.Listwise;
import org.rankside.client.Models;
import org.rankside.client.Rank;
import org.rankside.client.Request;
import org.rankside.client.SidecarException;
import org.rankside.client.Sidecars;

/** The sidecar of one search: its addresses and key, until its time is over. */
final class Sidecar {
    private final Sidecars sidecars;
    private final Work work;
    private final Parameters parameters;
    private final Deadline deadline;

    Sidecar(Sidecars sidecars, Work work, Parameters parameters, Deadline deadline) {
        this.sidecars = sidecars;
        this.work = work;
        this.parameters = parameters;
        this.deadline = deadline;
    }

    /** Why a call would be refused now; empty where it would be sent. */
    Optional<SidecarException> refusal(String path) {
        return sidecars.refusal(parameters.urls(), path);
    }

    CompletableFuture<Models.Card> encoder() {
        return kept(sidecars.encoder(parameters.urls(), parameters.auth(), deadline.left()));
    }

    /** The LLM's card; fails with a PassThrough where there is none. */
    CompletableFuture<Models.Card> llm() {
        return kept(sidecars.llm(parameters.urls(), parameters.auth(), deadline.left()))
                .thenApply(
                        card -> {
                            if (card == null) {
                                throw new PassThrough(
                                        "no_llm", "the sidecar has no LLM; set RANKSIDE_LLM__URL there");
                            }
                            return card;
                        });
    }

    CompletableFuture<Listwise.Answer> listwise(Listwise.Call call) {
        return send(Listwise.PATH, call.written(), Listwise.Answer::read);
    }

    CompletableFuture<Rank.Answer> rank(Rank.Call call) {
        return send(Rank.PATH, call.written(), answer -> Rank.Answer.read(answer, call));
    }

    /** Milliseconds in which an answer is of use. */
    double leftMillis() {
        return Math.max(deadline.left().toNanos() / 1e6, 0.001);
    }

    /** The model was seen to be another than its card says. */
    void forget() {
        sidecars.forget(parameters.urls());
    }

    private <T> CompletableFuture<T> send(String path, Map<String, Object> call, Reading<T> reading) {
        byte[] body;
        try {
            body = sidecars.json().write(call);
        } catch (IOException error) {
            return CompletableFuture.failedFuture(error);
        }
        Request.Reader<T> reader = bytes -> reading.read(sidecars.json().read(bytes));
        return kept(
                sidecars.send(
                        parameters.urls(), parameters.auth(), path, body, deadline.left(), reader));
    }

    private <T> CompletableFuture<T> kept(CompletableFuture<T> call) {
        return work.call(call);
    }

    /** Makes an answer of a JSON object. */
    private interface Reading<T> {
        T read(Map<String, Object> answer) throws IOException;
    }
}
