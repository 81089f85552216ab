package org.rankside.elasticsearch.stats;

import org.elasticsearch.action.ActionType;

/** Asks nodes how they stand with their sidecar. */
public final class StatsAction {
    /** What roles grant. */
    public static final String NAME = "cluster:monitor/rankside/stats";

    /** The only one. */
    public static final ActionType<StatsResponse> INSTANCE = new ActionType<>(NAME);

    private StatsAction() {}
}
