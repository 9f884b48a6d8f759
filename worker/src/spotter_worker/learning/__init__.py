"""Learning on: from a teacher, beside others, and on new data without forgetting the old."""
