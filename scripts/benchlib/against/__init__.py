"""`scripts/bench --against`: the same load on Carillon and on others, side by side."""
