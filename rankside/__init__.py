"""Listwise reranking inside OpenSearch and Elasticsearch."""
