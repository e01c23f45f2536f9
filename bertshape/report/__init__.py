"""Frozen results, and their JSON documents as types."""
