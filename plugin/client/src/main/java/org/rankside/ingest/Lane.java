package org.rankside.ingest;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.LongSupplier;
import org.rankside.client.Embeddings;
import org.rankside.client.Reason;
import org.rankside.client.SidecarException;

/**
 * What waits for the sidecar at one list of addresses, and the calls of it that are under way.
 *
 * <p>Texts that can be are sent together, whichever request they came in: the engine hands documents
 * over one by one, some always and some where a processor has a condition. So a text may linger for
 * others to come. No thread waits here: calls go on from where the one before them has ended. Safe for
 * concurrent use.
 */
final class Lane {
    /** Makes a call and never throws; one of the two that it tells once is null. */
    interface Sender {
        void send(Batch batch, BiConsumer<Embeddings.Answer, SidecarException> answered);
    }

    // Of the sidecar's 32 MiB a body, texts as JSON may take three bytes and more a character.
    private static final long MOST_BYTES = 8 << 20;

    private final Sender sender;
    private final Scheduler scheduler;
    private final Log log;
    private final Patience patience;
    private final LongSupplier nanos;
    private final Deque<Batch.Job> waiting = new ArrayDeque<>();
    private final Deque<Batch> before = new ArrayDeque<>(); // those that wait
    private final AtomicInteger pumped = new AtomicInteger();
    private int running;
    private long due; // when those that wait do not linger any more
    private boolean awaited; // somebody comes then
    private long answers;
    private boolean held;
    private boolean fails;

    Lane(Sender sender, Scheduler scheduler, Log log, Patience patience, LongSupplier nanos) {
        this.sender = sender;
        this.scheduler = scheduler;
        this.log = log;
        this.patience = patience;
        this.nanos = nanos;
    }

    /** Sends these when it is their turn; each vector's future says what became of it. */
    void offer(List<Batch.Job> jobs) {
        synchronized (this) {
            boolean first = waiting.isEmpty();
            waiting.addAll(jobs);
            if (first) {
                linger();
            }
        }
        pump();
    }

    /** Lets those that wait now do so for others. */
    private void linger() {
        if (!waiting.isEmpty()) {
            due = nanos.getAsLong() + waiting.peek().asking().linger().toNanos();
        }
    }

    /** Starts what may be started; one thread at a time, however deep calls end within calls. */
    private void pump() {
        int seen = 1;
        if (pumped.getAndIncrement() > 0) {
            return; // the thread that is at it sees this too
        }
        do {
            for (Batch batch = next(); batch != null; batch = next()) {
                send(batch);
            }
            seen = pumped.addAndGet(-seen);
        } while (seen > 0);
    }

    private synchronized Batch next() {
        Batch.Job first = before.isEmpty() ? waiting.peek() : before.peek().jobs().getFirst();
        if (first == null || held || running >= first.asking().maxConcurrent()) {
            return null;
        }
        if (!before.isEmpty()) {
            running++;
            return before.poll();
        }
        if (lingers(first.asking())) {
            return null;
        }
        running++;
        Batch gathered = gathered(first);
        linger();
        return gathered;
    }

    /** Whether those that wait are to do so for others; somebody comes back for them. */
    private boolean lingers(Asking asking) {
        long left = due - nanos.getAsLong();
        if (left <= 0 || waiting.size() >= asking.batchSize()) {
            return false;
        }
        if (!awaited) {
            try {
                scheduler.later(Duration.ofNanos(left), this::come);
            } catch (RuntimeException closed) { // the node is going down
                return false;
            }
            awaited = true;
        }
        return true;
    }

    private void come() {
        synchronized (this) {
            awaited = false;
        }
        pump();
    }

    private Batch gathered(Batch.Job first) {
        List<Batch.Job> jobs = new ArrayList<>();
        long bytes = 0;
        for (Batch.Job job = first; job != null && job.fits(first); job = waiting.peek()) {
            bytes += job.bytes();
            if (jobs.size() == first.asking().batchSize() || (!jobs.isEmpty() && bytes > MOST_BYTES)) {
                break;
            }
            jobs.add(waiting.poll());
        }
        return new Batch(jobs);
    }

    private void send(Batch batch) {
        synchronized (this) {
            batch.sentAfter(answers);
        }
        sender.send(batch, (answer, error) -> settle(batch, answer, error));
    }

    private void settle(Batch batch, Embeddings.Answer answer, SidecarException error) {
        if (error == null) {
            ended(List.of(), true);
            give(batch, answer);
            return;
        }
        Duration pause = pause(batch, error);
        if (pause != null) {
            sendLater(batch, pause, error);
        } else if (error.reason() == Reason.CIRCUIT_OPEN && waitsForOthers(batch)) {
            pump();
        } else if (Failures.isOfTexts(error) && batch.jobs().size() > 1) {
            ended(batch.halves(), false);
        } else {
            fail(batch, error);
        }
    }

    private void sendLater(Batch batch, Duration pause, SidecarException error) {
        batch.triedAgain();
        try {
            scheduler.later(pause, () -> send(batch));
        } catch (RuntimeException closed) { // the node is going down
            fail(batch, error);
        }
    }

    /**
     * Puts back a batch that was not let through, where another call is the circuit's probe: what
     * becomes of that decides. Whether it did.
     */
    private synchronized boolean waitsForOthers(Batch batch) {
        boolean answered = answers > batch.answersBefore();
        if (!answered && running == 1) {
            return false;
        }
        running--;
        before.addFirst(batch);
        held = !answered;
        return true;
    }

    private synchronized Duration pause(Batch batch, SidecarException error) {
        return patience.pause(batch, error);
    }

    /** A call is over; the next ones start before anybody is told, who may have much to do. */
    private void ended(List<Batch> again, boolean answered) {
        boolean recovered;
        synchronized (this) {
            running--;
            held = false;
            before.addAll(again);
            answers += answered ? 1 : 0;
            if (answered || (running == 0 && waiting.isEmpty() && before.isEmpty())) {
                patience.renew();
            }
            recovered = answered && fails;
            fails &= !answered;
        }
        if (recovered) {
            log.recovered();
        }
        pump();
    }

    private void give(Batch batch, Embeddings.Answer answer) {
        for (int at = 0; at < batch.jobs().size(); at++) {
            float[] vector = answer.vectors().get(at);
            if (vector == null) {
                batch.jobs().get(at).vector().completeExceptionally(Failures.noVector());
            } else {
                batch.jobs().get(at).vector().complete(vector);
            }
        }
    }

    private void fail(Batch batch, SidecarException error) {
        NotEmbedded failure = Failures.of(error, batch.fingerprint());
        if (!Failures.isOfTexts(error) && !failing()) {
            log.failing(failure.getMessage());
        }
        ended(List.of(), false);
        batch.jobs().forEach(job -> job.vector().completeExceptionally(failure));
    }

    /** Whether this is known; it is from now on. */
    private synchronized boolean failing() {
        boolean known = fails;
        fails = true;
        return known;
    }
}
