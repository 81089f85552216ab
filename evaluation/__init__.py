"""Ranking quality and speed: collections, runs, measures, significance, experiments."""
