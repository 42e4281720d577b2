"""`scripts/bench`: which measurements there are, and what becomes of their figures."""
