"""Benchmarks: one file per thing that is measured."""
