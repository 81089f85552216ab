package org.rankside.opensearch.stats;

import org.opensearch.action.ActionType;

/** Asks nodes how they stand with their sidecars. */
public final class StatsAction extends ActionType<StatsResponse> {
    /** What roles grant. */
    public static final String NAME = "cluster:monitor/rankside/stats";

    /** The only one. */
    public static final StatsAction INSTANCE = new StatsAction();

    private StatsAction() {
        super(NAME, StatsResponse::new);
    }
}
