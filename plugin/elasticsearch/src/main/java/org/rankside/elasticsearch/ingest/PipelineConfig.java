package org.rankside.elasticsearch.ingest;

import java.util.Map;
import org.elasticsearch.core.TimeValue;
import org.elasticsearch.ingest.ConfigurationUtils;
import org.rankside.ingest.Config;

/** A processor's parameters as Elasticsearch reads those of its own; errors name the processor's tag. */
final class PipelineConfig extends Config {
    private static final String TYPE = EmbeddingProcessor.TYPE;

    private final String tag;
    private final Map<String, Object> config;

    PipelineConfig(String tag, Map<String, Object> config) {
        this.tag = tag;
        this.config = config;
    }

    @Override
    protected Object value(String name) {
        return config.remove(name);
    }

    @Override
    protected String text(String name) {
        return ConfigurationUtils.readOptionalStringProperty(TYPE, tag, config, name);
    }

    @Override
    protected int number(String name, int otherwise) {
        return ConfigurationUtils.readIntProperty(TYPE, tag, config, name, otherwise);
    }

    @Override
    protected boolean truth(String name, boolean otherwise) {
        return ConfigurationUtils.readBooleanProperty(TYPE, tag, config, name, otherwise);
    }

    @Override
    protected Map<String, Object> object(String name) {
        return ConfigurationUtils.readOptionalMap(TYPE, tag, config, name);
    }

    @Override
    protected long millis(String name, String text) {
        return TimeValue.parseTimeValue(text, name).millis();
    }

    @Override
    protected RuntimeException refused(String name, String why) {
        return ConfigurationUtils.newConfigurationException(TYPE, tag, name, why);
    }
}
