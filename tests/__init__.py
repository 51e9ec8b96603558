"""Tests of behaviour a user would notice."""
