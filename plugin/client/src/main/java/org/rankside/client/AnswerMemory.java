package org.rankside.client;

import java.util.concurrent.atomic.AtomicLong;

/** How many bytes the answers that are being read may take together. Safe for concurrent use. */
final class AnswerMemory {
    private final long limit;
    private final AtomicLong taken = new AtomicLong();

    AnswerMemory(long limit) {
        this.limit = limit;
    }

    /** Whether there was room for so many more; each true is to be answered by {@link #give}. */
    boolean take(int bytes) {
        if (taken.addAndGet(bytes) <= limit) {
            return true;
        }
        taken.addAndGet(-bytes);
        return false;
    }

    void give(int bytes) {
        taken.addAndGet(-bytes);
    }

    /** Bytes held now. */
    long taken() {
        return taken.get();
    }
}
