"""Submits jobs one after the other: submit.py APPLICATION BYTES SECONDS."""

import importlib
import json
import sys
import time

application, size, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
submit = importlib.import_module(application).submit
payload = "x" * size
# The first one connects.
submit(payload)
begun = time.monotonic()
count = 0
while time.monotonic() < begun + seconds:
    submit(payload)
    count += 1
print(json.dumps({"count": count + 1, "seconds": time.monotonic() - begun}))
