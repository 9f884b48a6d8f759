"""The Python workshop: one process for one attempt at one job, and the supervisor beside it."""
