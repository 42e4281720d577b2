"""A black-box test of real nodes: faults by seed, load, and a checker over what clients saw."""
