"""Index mappings, ingest and search pipelines as definitions: plan, apply, destroy."""
