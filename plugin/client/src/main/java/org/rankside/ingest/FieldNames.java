package org.rankside.ingest;

import java.util.List;

/**
 * A vector field, what its vectors are made of and where their hash goes, as a pipeline names them;
 * null: as the index says.
 */
public record FieldNames(String vectorField, String hashField, List<String> textFields) {}
