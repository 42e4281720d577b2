"""Nodes of carillon on this machine, and a client for them: what the scripts of this folder share."""
