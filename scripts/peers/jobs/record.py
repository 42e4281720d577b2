"""Where a job writes that it was run: the time, in one write of eight bytes, which no other process can tear."""

import os
import struct
import time

REDIS = os.environ["PEER_REDIS"]
file = None


def done():
    global file
    if file is None:
        file = os.open(os.environ["PEER_RECORD"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, struct.pack("<d", time.monotonic()))
