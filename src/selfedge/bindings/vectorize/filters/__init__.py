"""Metadata filters: their text → conditions."""
