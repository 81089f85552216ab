"""E2Rank's objective, and adapters for listwise prompts over vectors that an index already has."""
