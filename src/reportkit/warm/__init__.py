"""Kernels forked from a process that is ready, instead of started cold."""
