"""Many reports: plan, journal, loop, progress, summary; the process that kernels fork from."""
