package rankside.local;

import java.lang.instrument.Instrumentation;

/**
 * Stands in for Elasticsearch's entitlement agent, which Maven Central does not have.
 *
 * <p>The server attaches this jar to itself and passes the name of the class that knows what to do with an
 * {@link Instrumentation}.
 */
public final class EntitlementAgent {

    private EntitlementAgent() {}

    public static void agentmain(String initializer, Instrumentation instrumentation) throws ReflectiveOperationException {
        Class.forName(initializer).getMethod("initialize", Instrumentation.class).invoke(null, instrumentation);
    }
}
