"""Injected passages: attacks and the rankings they are tried on, written for this project."""
