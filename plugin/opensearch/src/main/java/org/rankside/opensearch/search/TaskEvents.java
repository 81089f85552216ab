package org.rankside.opensearch.search;

import org.opensearch.common.inject.Inject;
import org.opensearch.common.lifecycle.AbstractLifecycleComponent;
import org.opensearch.transport.TransportService;

/** Connects {@link Cancellations} to the node's tasks, which only an injected component can reach. */
public final class TaskEvents extends AbstractLifecycleComponent {
    /** By the engine. */
    @Inject
    public TaskEvents(TransportService transport, Cancellations cancellations) {
        transport.getTaskManager().addTaskEventListeners(cancellations);
    }

    @Override
    protected void doStart() {}

    @Override
    protected void doStop() {}

    @Override
    protected void doClose() {}
}
