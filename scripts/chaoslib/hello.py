"""The first frame that a node sends to another says where the node itself listens. Behind proxies that must be
the proxy's address, or the nodes would soon call each other directly. See PeerFrame.swift and PeerHello.swift."""

import struct

HEADER_BYTES = 12
HELLO = 1
# Of CRC-32C, reflected.
POLYNOMIAL = 0x82F63B78


def crc32c(data):
    checksum = 0xFFFFFFFF
    for byte in data:
        checksum ^= byte
        for _ in range(8):
            checksum = checksum >> 1 ^ (POLYNOMIAL if checksum & 1 else 0)
    return checksum ^ 0xFFFFFFFF


def payload_bytes(header):
    return struct.unpack_from("<I", header, 4)[0]


def readdressed(header, payload, replacements):
    """The frame, with each address in it replaced by one that is written with as many characters."""
    if header[3] != HELLO:
        return header + payload
    for real, other in replacements:
        assert len(real) == len(other), f"{real} and {other} differ in length"
        payload = payload.replace(real, other)
    start = header[:8]
    return start + struct.pack("<I", crc32c(start + payload)) + payload
