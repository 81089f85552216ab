package org.rankside.opensearch.node;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.opensearch.common.settings.SecureSetting;
import org.opensearch.common.settings.Setting;
import org.opensearch.common.settings.Settings;
import org.opensearch.common.unit.TimeValue;
import org.opensearch.core.common.settings.SecureString;
import org.opensearch.core.common.unit.ByteSizeUnit;
import org.opensearch.core.common.unit.ByteSizeValue;
import org.opensearch.env.Environment;
import org.rankside.client.SidecarSettings;
import org.rankside.client.Sidecars;
import org.rankside.client.TlsFiles;
import org.rankside.opensearch.OpenSearchJson;

/** What {@code opensearch.yml} and the keystore say of the sidecar: a node's own protection. */
public final class NodeSettings {
    private static final SidecarSettings DEFAULTS = SidecarSettings.DEFAULTS;

    static final Setting<TimeValue> CONNECT_TIMEOUT =
            Setting.positiveTimeSetting(
                    "rankside.connect_timeout",
                    TimeValue.timeValueMillis(DEFAULTS.connectTimeout().toMillis()),
                    Setting.Property.NodeScope);

    static final Setting<Integer> MAX_IN_FLIGHT =
            Setting.intSetting(
                    "rankside.max_in_flight",
                    DEFAULTS.maxInFlight(),
                    1,
                    Setting.Property.NodeScope);

    static final Setting<ByteSizeValue> MAX_ANSWER =
            Setting.byteSizeSetting(
                    "rankside.max_answer",
                    new ByteSizeValue(DEFAULTS.maxAnswerBytes()),
                    new ByteSizeValue(1, ByteSizeUnit.KB),
                    new ByteSizeValue(1, ByteSizeUnit.GB),
                    Setting.Property.NodeScope);

    static final Setting<Integer> CIRCUIT_FAILURES =
            Setting.intSetting(
                    "rankside.circuit.failures",
                    DEFAULTS.failures(),
                    1,
                    Setting.Property.NodeScope);

    static final Setting<TimeValue> CIRCUIT_OPEN =
            Setting.positiveTimeSetting(
                    "rankside.circuit.open_for",
                    TimeValue.timeValueMillis(DEFAULTS.openFor().toMillis()),
                    Setting.Property.NodeScope);

    static final Setting<TimeValue> CIRCUIT_OPEN_AT_MOST =
            Setting.positiveTimeSetting(
                    "rankside.circuit.open_for_at_most",
                    TimeValue.timeValueMillis(DEFAULTS.openForAtMost().toMillis()),
                    Setting.Property.NodeScope);

    /** Texts that wait for their vectors in the ingest processor, two bytes a character. */
    public static final Setting<ByteSizeValue> MAX_WAITING =
            Setting.memorySizeSetting(
                    "rankside.ingest.max_waiting", "10%", Setting.Property.NodeScope);

    /** Bearer keys by name, in the keystore: a processor's {@code auth} names one of them. */
    static final Setting.AffixSetting<SecureString> KEY =
            Setting.affixKeySetting(
                    "rankside.auth.", "key", name -> SecureSetting.secureString(name, null));

    private static final Setting<List<String>> AUTHORITIES =
            Setting.listSetting(
                    TlsFiles.AUTHORITIES,
                    List.of(),
                    Function.identity(),
                    Setting.Property.NodeScope);

    private static final Setting<String> CERTIFICATE =
            Setting.simpleString(TlsFiles.CERTIFICATE, Setting.Property.NodeScope);

    private static final Setting<String> CERTIFICATE_KEY =
            Setting.simpleString(TlsFiles.KEY, Setting.Property.NodeScope);

    private NodeSettings() {}

    /** All of them, for the engine to know. */
    public static List<Setting<?>> all() {
        return List.of(
                CONNECT_TIMEOUT,
                MAX_IN_FLIGHT,
                MAX_ANSWER,
                CIRCUIT_FAILURES,
                CIRCUIT_OPEN,
                CIRCUIT_OPEN_AT_MOST,
                KEY,
                AUTHORITIES,
                CERTIFICATE,
                CERTIFICATE_KEY,
                MAX_WAITING);
    }

    /**
     * The node's way to sidecars, as they say.
     *
     * <p>Reads the keystore, which is open only while the node starts, and the certificates.
     *
     * @param completions runs what comes after a call
     * @throws IllegalArgumentException a setting or a file that it names is wrong
     */
    public static Sidecars sidecars(Environment environment, Executor completions) {
        return new Sidecars(
                protection(environment),
                new OpenSearchJson(),
                completions,
                keys(environment.settings()),
                "opensearch-keystore");
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

    private static Map<String, String> keys(Settings settings) {
        return KEY.getNamespaces(settings).stream()
                .collect(
                        Collectors.toUnmodifiableMap(
                                name -> name,
                                name -> KEY.getConcreteSettingForNamespace(name).get(settings).toString()));
    }
}
