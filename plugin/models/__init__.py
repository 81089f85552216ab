"""Encoders (in process, remote), LLM clients, and the model registry."""
