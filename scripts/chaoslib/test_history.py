"""Histories that are looked at while clients are still at work."""

import os
import tempfile
import unittest

from chaoslib.history import OK, History, Operation
from chaoslib.linearizability import violation


class HistoryTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.history = History(os.path.join(self.directory.name, "history"))

    def tearDown(self):
        self.history.close()
        self.directory.cleanup()

    def test_a_write_that_is_not_answered_may_be_read(self):
        write = Operation("r", True, "a", "writer", "n1", 1.0)
        self.history.begin(write)
        self.history.add(Operation("r", False, "a", "reader", "n2", 1.1, 1.2, OK))
        self.assertIsNone(violation(self.history.by_register()["r"]))
        write.returned, write.outcome = 1.3, OK
        self.history.add(write)
        self.assertEqual(len(self.history.by_register()["r"]), 2)
        self.assertIsNone(violation(self.history.by_register()["r"]))

    def test_what_nobody_writes_may_not_be_read(self):
        self.history.begin(Operation("r", True, "a", "writer", "n1", 1.0))
        self.history.add(Operation("r", False, "b", "reader", "n2", 1.1, 1.2, OK))
        self.assertIsNotNone(violation(self.history.by_register()["r"]))


if __name__ == "__main__":
    unittest.main()
