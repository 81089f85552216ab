package org.rankside.ingest;

/** What a node's log is to say of its documents: when they begin to fail, and when that is over. */
public interface Log {
    /** Documents fail from now on. */
    void failing(String why);

    /** They do not any more. */
    void recovered();
}
