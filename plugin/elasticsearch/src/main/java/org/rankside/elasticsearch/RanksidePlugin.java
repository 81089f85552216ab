package org.rankside.elasticsearch;

import org.elasticsearch.plugins.Plugin;

/** Where the engine is told what this plugin adds to it. */
public final class RanksidePlugin extends Plugin {}
