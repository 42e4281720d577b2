"""What scripts/measure measures."""
