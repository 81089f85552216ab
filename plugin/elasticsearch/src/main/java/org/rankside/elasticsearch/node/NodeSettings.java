package org.rankside.elasticsearch.node;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import org.elasticsearch.common.settings.SecureSetting;
import org.elasticsearch.common.settings.SecureString;
import org.elasticsearch.common.settings.Setting;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.common.unit.ByteSizeValue;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.env.Environment;
import org.rankside.client.SidecarSettings;
import org.rankside.client.Sidecars;
import org.rankside.client.TlsFiles;
import org.rankside.elasticsearch.ElasticsearchJson;

/** What {@code elasticsearch.yml} and the keystore say: the sidecar, and the node's protection from it. */
public final class NodeSettings {
    private static final SidecarSettings DEFAULTS = SidecarSettings.DEFAULTS;
    private static final String KEYSTORE_TOOL = "elasticsearch-keystore";
    // One key for the one sidecar; the name is for our own use.
    private static final String AUTH = "sidecar";

    private static final Setting<List<String>> URL =
            Setting.stringListSetting("rankside.sidecar.url", Setting.Property.NodeScope);

    /** Bearer key, in the keystore. */
    private static final Setting<SecureString> API_KEY =
            SecureSetting.secureString("rankside.sidecar.api_key", null);

    private static final Setting<TimeValue> CONNECT_TIMEOUT =
            Setting.positiveTimeSetting(
                    "rankside.connect_timeout",
                    TimeValue.timeValueMillis(DEFAULTS.connectTimeout().toMillis()),
                    Setting.Property.NodeScope);

    private static final Setting<Integer> MAX_IN_FLIGHT =
            Setting.intSetting(
                    "rankside.max_in_flight",
                    DEFAULTS.maxInFlight(),
                    1,
                    Setting.Property.NodeScope);

    private static final Setting<ByteSizeValue> MAX_ANSWER =
            Setting.byteSizeSetting(
                    "rankside.max_answer",
                    ByteSizeValue.ofBytes(DEFAULTS.maxAnswerBytes()),
                    ByteSizeValue.ofKb(1),
                    ByteSizeValue.ofGb(1),
                    Setting.Property.NodeScope);

    private static final Setting<Integer> CIRCUIT_FAILURES =
            Setting.intSetting(
                    "rankside.circuit.failures",
                    DEFAULTS.failures(),
                    1,
                    Setting.Property.NodeScope);

    private static final Setting<TimeValue> CIRCUIT_OPEN =
            Setting.positiveTimeSetting(
                    "rankside.circuit.open_for",
                    TimeValue.timeValueMillis(DEFAULTS.openFor().toMillis()),
                    Setting.Property.NodeScope);

    private static final Setting<TimeValue> CIRCUIT_OPEN_AT_MOST =
            Setting.positiveTimeSetting(
                    "rankside.circuit.open_for_at_most",
                    TimeValue.timeValueMillis(DEFAULTS.openForAtMost().toMillis()),
                    Setting.Property.NodeScope);

    /** Texts that wait for their vectors in the ingest processor, two bytes a character. */
    public static final Setting<ByteSizeValue> MAX_WAITING =
            Setting.memorySizeSetting(
                    "rankside.ingest.max_waiting", "10%", Setting.Property.NodeScope);

    private static final Setting<List<String>> AUTHORITIES =
            Setting.stringListSetting(TlsFiles.AUTHORITIES, Setting.Property.NodeScope);

    private static final Setting<String> CERTIFICATE =
            Setting.simpleString(TlsFiles.CERTIFICATE, Setting.Property.NodeScope);

    private static final Setting<String> CERTIFICATE_KEY =
            Setting.simpleString(TlsFiles.KEY, Setting.Property.NodeScope);

    private NodeSettings() {}

    /** All of them, for the engine to know. */
    public static List<Setting<?>> all() {
        return List.of(
                URL,
                API_KEY,
                CONNECT_TIMEOUT,
                MAX_IN_FLIGHT,
                MAX_ANSWER,
                CIRCUIT_FAILURES,
                CIRCUIT_OPEN,
                CIRCUIT_OPEN_AT_MOST,
                AUTHORITIES,
                CERTIFICATE,
                CERTIFICATE_KEY,
                MAX_WAITING);
    }

    /**
     * The node's sidecar and the way to it, as they say.
     *
     * <p>Reads the keystore, which is open only while the node starts, and the certificates.
     *
     * @param completions runs what comes after a call
     * @throws IllegalArgumentException a setting or a file that it names is wrong
     */
    public static NodeSidecar sidecar(Environment environment, Executor completions) {
        Settings settings = environment.settings();
        List<URI> urls = urls(settings);
        Map<String, String> keys =
                API_KEY.exists(settings)
                        ? Map.of(AUTH, API_KEY.get(settings).toString())
                        : Map.of();
        Sidecars sidecars =
                new Sidecars(
                        protection(environment),
                        new ElasticsearchJson(),
                        completions,
                        keys,
                        KEYSTORE_TOOL);
        return new NodeSidecar(sidecars, urls, keys.isEmpty() ? null : AUTH);
    }

    private static List<URI> urls(Settings settings) {
        List<String> urls = URL.get(settings);
        try {
            return urls.isEmpty() ? List.of() : SidecarSettings.addresses(urls);
        } catch (IllegalArgumentException error) {
            throw new IllegalArgumentException(URL.getKey() + ": " + error.getMessage(), error);
        }
    }

    private static SidecarSettings protection(Environment environment) {
        Settings settings = environment.settings();
        TlsFiles tls =
                new TlsFiles(
                        AUTHORITIES.get(settings),
                        CERTIFICATE.get(settings),
                        CERTIFICATE_KEY.get(settings));
        return new SidecarSettings(
                Duration.ofMillis(CONNECT_TIMEOUT.get(settings).millis()),
                MAX_IN_FLIGHT.get(settings),
                (int) MAX_ANSWER.get(settings).getBytes(),
                CIRCUIT_FAILURES.get(settings),
                Duration.ofMillis(CIRCUIT_OPEN.get(settings).millis()),
                Duration.ofMillis(CIRCUIT_OPEN_AT_MOST.get(settings).millis()),
                tls.context(environment.configDir()));
    }
}
