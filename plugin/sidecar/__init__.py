"""The sidecar: the ranking core and one encoder behind HTTP, batched across requests."""
