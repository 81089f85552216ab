"""What plugs into the engine: the ranking core, its models, the sidecar, and the engine plugins."""
