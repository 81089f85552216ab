package org.rankside.elasticsearch;

import org.elasticsearch.common.logging.LogConfigurator;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Lets classes of the engine get their loggers, which a node sees to before it loads any of them. Every
 * test has it: {@code META-INF/services} names it.
 */
public final class EngineLogging implements BeforeAllCallback {
    @Override
    public void beforeAll(ExtensionContext context) {
        LogConfigurator.configureESLogging();
    }
}
