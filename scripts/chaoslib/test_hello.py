"""The address in a hello is replaced, and its checksum with it."""

import struct
import unittest

from chaoslib.hello import crc32c, payload_bytes, readdressed


class HelloTests(unittest.TestCase):
    def test_checksum(self):
        self.assertEqual(crc32c(b"123456789"), 0xE3069283)

    def test_address(self):
        payload = b"\x01\x01........\x05n1\x0f127.0.0.1:23456"
        start = b"CN\x01\x01" + struct.pack("<I", len(payload))
        header = start + struct.pack("<I", crc32c(start + payload))
        self.assertEqual(payload_bytes(header), len(payload))
        frame = readdressed(header, payload, [(b"127.0.0.1:23456", b"127.0.0.1:11111")])
        changed = payload.replace(b"23456", b"11111")
        self.assertEqual(frame, start + struct.pack("<I", crc32c(start + changed)) + changed)

    def test_other_frames_are_left_alone(self):
        header = b"CN\x01\x02" + struct.pack("<I", 3) + b"abcd"
        self.assertEqual(readdressed(header, b"123", [(b"1", b"2")]), header + b"123")


if __name__ == "__main__":
    unittest.main()
