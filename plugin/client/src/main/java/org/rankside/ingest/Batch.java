package org.rankside.ingest;

import java.util.List;
import java.util.concurrent.CompletableFuture;

/** Texts that are sent in one call; only its lane changes it. */
final class Batch {
    /**
     * A text and the vector that it is to get.
     *
     * @param fingerprint of the model that is to make it
     */
    record Job(Asking asking, String fingerprint, String text, CompletableFuture<float[]> vector) {
        /** Whether both can be sent in one call. */
        boolean fits(Job other) {
            return asking.equals(other.asking) && fingerprint.equals(other.fingerprint);
        }

        /** Memory its text takes at most. */
        long bytes() {
            return (long) Character.BYTES * text.length();
        }
    }

    private final List<Job> jobs;
    private int tries;
    private long answersBefore;

    /** One or more jobs that fit each other. */
    Batch(List<Job> jobs) {
        this.jobs = List.copyOf(jobs);
    }

    List<Job> jobs() {
        return jobs;
    }

    Asking asking() {
        return jobs.getFirst().asking();
    }

    String fingerprint() {
        return jobs.getFirst().fingerprint();
    }

    List<String> texts() {
        return jobs.stream().map(Job::text).toList();
    }

    /** How often it was refused for now. */
    int tries() {
        return tries;
    }

    void triedAgain() {
        tries++;
    }

    /** How many answers its lane had when it was sent last. */
    long answersBefore() {
        return answersBefore;
    }

    void sentAfter(long answers) {
        answersBefore = answers;
    }

    /** Both halves of more than one job. */
    List<Batch> halves() {
        int middle = jobs.size() / 2;
        return List.of(new Batch(jobs.subList(0, middle)), new Batch(jobs.subList(middle, jobs.size())));
    }
}
