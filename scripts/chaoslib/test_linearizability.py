"""The checker against histories made by hand, and against a search through all orders."""

import itertools
import random
import unittest

from chaoslib.history import FAILED, OK, UNKNOWN, Operation
from chaoslib.linearizability import violation

INFINITE = float("inf")


def write(value, invoked, returned=INFINITE, outcome=None):
    outcome = outcome or (OK if returned < INFINITE else UNKNOWN)
    return Operation("r", True, value, "c", "n1", invoked, returned, outcome)


def read(value, invoked, returned):
    return Operation("r", False, value, "c", "n1", invoked, returned, OK)


def naive(operations):
    """Whether some order that respects time is legal. Only for very few operations."""
    sure = [o for o in operations if o.outcome == OK]
    maybe = [o for o in operations if o.outcome == UNKNOWN and o.is_write]
    for count in range(len(maybe) + 1):
        for taken in itertools.combinations(maybe, count):
            if _ordered(sure + list(taken), None):
                return True
    return False


def _ordered(left, value):
    if not left:
        return True
    earliest = min(operation.returned for operation in left)
    for operation in left:
        if operation.invoked > earliest or (not operation.is_write and operation.value != value):
            continue
        rest = [other for other in left if other is not operation]
        if _ordered(rest, operation.value):
            return True
    return False


class LinearizabilityTests(unittest.TestCase):
    def legal(self, *operations):
        self.assertIsNone(violation(list(operations)))
        self.assertTrue(naive(list(operations)))

    def illegal(self, text, *operations):
        self.assertIn(text, violation(list(operations)) or "")
        self.assertFalse(naive([o for o in operations if o.outcome != FAILED]))

    def test_one_after_the_other(self):
        self.legal(write("a", 0, 1), read("a", 2, 3), write("b", 4, 5), read("b", 6, 7))

    def test_overlapping_write_may_be_seen_or_not(self):
        self.legal(write("a", 0, 1), write("b", 2, 10), read("a", 3, 4), read("b", 5, 6))

    def test_stale_read(self):
        self.illegal("two values at once", write("a", 0, 1), write("b", 2, 3), read("b", 4, 5), read("a", 6, 7))

    def test_stale_read_of_a_write_nobody_else_saw(self):
        self.illegal("comes and goes", write("a", 0, 1), write("b", 2, 3), read("a", 4, 5))

    def test_back_and_forth(self):
        self.illegal(
            "two values at once", write("a", 0, 1), write("b", 2, 20),
            read("a", 3, 4), read("b", 5, 6), read("a", 7, 8), read("b", 9, 10))

    def test_unknown_write_takes_effect_late(self):
        self.legal(write("a", 0, 1), write("b", 2), read("a", 5, 6), read("b", 50, 51))

    def test_unknown_write_takes_effect_never(self):
        self.legal(write("a", 0, 1), write("b", 2), write("c", 3), read("a", 5, 6))

    def test_unknown_write_is_not_undone(self):
        self.illegal("comes and goes", write("a", 0, 1), write("b", 2), read("b", 5, 6), read("a", 7, 8))

    def test_refused_write_is_read(self):
        self.illegal(
            "refused is read", write("a", 0, 1), write("b", 2, outcome=FAILED), read("b", 5, 6))

    def test_value_from_nowhere(self):
        self.illegal("nobody wrote", write("a", 0, 1), read("x", 2, 3))

    def test_read_before_the_write(self):
        self.illegal("before it is written", write("z", 0, 1), read("a", 2, 3), write("a", 4, 5))

    def test_lost_write(self):
        self.illegal("comes and goes", write("a", 0, 1), write("b", 2, 3), write("c", 4, 9), read("a", 5, 6))

    def test_same_answer_as_a_search(self):
        generator = random.Random(1)
        verdicts = set()
        for _ in range(6_000):
            operations = self.some_history(generator)
            expected = naive(operations)
            verdicts.add(expected)
            found = violation(operations)
            self.assertEqual(found is None, expected, f"{found}\n" + "\n".join(map(str, operations)))
        self.assertEqual(verdicts, {True, False})

    def some_history(self, generator):
        # No two times are equal: which of them came first would be a matter of reading.
        times = iter(generator.sample(range(1, 1000), 16))
        operations = [write("v0", -2, -1)]
        for number in range(1, generator.randint(2, 4)):
            begin, end = sorted((next(times), next(times)))
            operations.append(write(f"v{number}", begin, end if generator.random() < 0.7 else INFINITE))
        written = len(operations)
        for _ in range(generator.randint(1, 4)):
            begin, end = sorted((next(times), next(times)))
            operations.append(read(f"v{generator.randrange(written)}", begin, end))
        return operations


if __name__ == "__main__":
    unittest.main()
