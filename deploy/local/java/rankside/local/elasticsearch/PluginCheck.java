package rankside.local.elasticsearch;

import java.nio.file.Path;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.entitlement.runtime.policy.PolicyUtils;
import org.elasticsearch.jdk.JarHell;
import org.elasticsearch.plugins.PluginDescriptor;
import org.elasticsearch.plugins.PluginsUtils;

/**
 * Checks an unpacked plugin as {@code elasticsearch-plugin install} would, which Maven Central does not have: {@code
 * PluginCheck HOME FOLDER}. Its version, its entitlements, and that none of its classes is the engine's too.
 */
public final class PluginCheck {

    private PluginCheck() {}

    public static void main(String[] words) throws Exception {
        Path home = Path.of(words[0]);
        Path folder = Path.of(words[1]);
        LogConfigurator.configureESLogging(); // which the server's classes want before they are loaded
        try {
            check(home, folder);
        } catch (RuntimeException refused) {
            System.err.println("ERROR: " + refused.getMessage());
            System.exit(1);
        }
    }

    private static void check(Path home, Path folder) throws Exception {
        PluginDescriptor descriptor = PluginDescriptor.readFromProperties(folder);
        PluginsUtils.verifyCompatibility(descriptor);
        boolean external = true;
        PolicyUtils.parsePolicyIfExists(descriptor.getName(), folder, external);
        PluginsUtils.preInstallJarHellCheck(
            descriptor,
            folder,
            home.resolve("plugins"),
            home.resolve("modules"),
            JarHell.parseClassPath()
        );
    }
}
