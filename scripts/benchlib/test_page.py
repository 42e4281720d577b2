"""What becomes of figures, without a cluster."""

import os
import tempfile
import unittest
from types import SimpleNamespace

from benchlib.goals import goals
from benchlib.page import BEGIN, END, cell, goal_lines, rewrite, table, title
from benchlib.plan import Measurement, Strikes, measurements
from benchlib.results import Results, p99


def results(measurement, *runs):
    found = Results()
    found.add(measurement, runs)
    return found


class ResultsTests(unittest.TestCase):
    def test_values_of_a_row_are_gathered_over_the_rounds(self):
        measurement = Measurement("submit", ["submit"], ["tasksPerSecond"], ["connections"])
        found = results(
            measurement,
            {"connections": 1, "tasksPerSecond": 10, "errors": {}},
            {"connections": 64, "tasksPerSecond": 50, "errors": {"503": 2}},
            {"connections": 1, "tasksPerSecond": 30, "errors": {"503": 1}},
        )
        self.assertEqual(found.rows("submit")[(1,)]["tasksPerSecond"], [10, 30])
        self.assertEqual(found.rows("submit")[(1,)]["errors"], {"503": 1})
        self.assertEqual(found.first("submit", "tasksPerSecond"), 10)
        self.assertEqual(len(found.raw), 3)
        with self.assertRaises(KeyError):
            found.first("run", "donePerSecond")

    def test_p99_is_the_highest_of_a_few(self):
        self.assertEqual(p99([3, 1, 2]), 3)
        self.assertEqual(p99(list(range(1, 201))), 198)


class PageTests(unittest.TestCase):
    def test_titles(self):
        self.assertEqual(title("latencyP50Milliseconds"), "latency p50, ms")
        self.assertEqual(title("recordedLatenessP999Milliseconds"), "recorded lateness p99.9, ms")
        self.assertEqual(title("tasksPerSecond"), "tasks/s")

    def test_a_table_tells_median_spread_and_errors(self):
        measurement = Measurement("submit", ["submit", "--bulk", "1"], ["tasksPerSecond"], ["connections"])
        found = results(
            measurement,
            *({"connections": 1, "tasksPerSecond": value, "errors": {"429 full": 1}} for value in (12_000, 9_000, 10_000)),
        )
        self.assertEqual(
            table(measurement, found),
            [
                "**submit**: `carillon bench submit --bulk 1`", "",
                "| connections | tasks/s | errors |", "|---|---|---|",
                "| 1 | 10,000 (9,000 to 12,000) | 3 × 429 full |",
            ],
        )

    def test_cells(self):
        plain = Measurement("a", [], [])
        self.assertEqual(cell(plain, "generatorCPUShare", [0.125]), "12.5")
        self.assertEqual(cell(plain, "settledBytes", [630_000_000]), "630")
        self.assertEqual(cell(plain, "gapMaxMilliseconds", None), "–")
        strikes = Strikes("b", ["failover"], [], count=3)
        self.assertEqual(cell(strikes, "gapMaxMilliseconds", [80, 120.4, 90]), "90 (80 to 120), p99 120")

    def test_goals_tell_the_worst_row_and_only_what_was_measured(self):
        machine = SimpleNamespace(trip_microseconds=60, sync_microseconds=100)
        idle = Measurement("idle", [], ["cpuShare", "residentBytes"], ["node"])
        found = results(
            idle, {"node": "n1", "cpuShare": 0.004, "residentBytes": 34e6}, {"node": "n2", "cpuShare": 0.012, "residentBytes": 35e6}
        )
        leader = Measurement("submit to the leader", [], ["latencyP50Milliseconds"], ["connections"])
        found.add(leader, [
            {"connections": 1, "latencyP50Milliseconds": 0.44}, {"connections": 64, "latencyP50Milliseconds": 2.0},
        ])
        self.assertEqual(goal_lines(found, machine)[5:], [
            "| one client: 1.5 × (round trip + flush) | latency p50, ms | ≤ 0.24 | 0.44 | no |",
            "| idle | of a processor, % | ≤ 1 | 1.2 | no |",
            "| idle | resident, MB | ≤ 40 | 35 | yes |",
        ])
        self.assertEqual(goal_lines(Results(), machine), [])

    def test_goals_are_of_figures_that_are_measured(self):
        figures = {measurement.name: measurement.keys for measurement in measurements(quick=False)}
        for goal in goals():
            self.assertIn(goal.key, figures[goal.measurement])

    def test_only_what_is_between_the_markers_is_written_anew(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "page.md")
            with open(path, "w", encoding="utf-8") as file:
                file.write(f"before\n{BEGIN}\nold\n{END}\nbehind\n")
            rewrite(path, "new")
            rewrite(path, "newer")
            with open(path, encoding="utf-8") as file:
                self.assertEqual(file.read(), f"before\n{BEGIN}\n\nnewer\n\n{END}\nbehind\n")
            with open(path, "w", encoding="utf-8") as file:
                file.write("nothing")
            with self.assertRaises(ValueError):
                rewrite(path, "new")

    def test_every_measurement_has_a_name_of_its_own_and_titles(self):
        for quick in (False, True):
            plan = measurements(quick)
            self.assertEqual(len({measurement.name for measurement in plan}), len(plan))
            for measurement in plan:
                self.assertTrue(measurement.name.startswith(measurement.words[0] if measurement.words else "idle"))
                for key in measurement.keys:
                    self.assertTrue(title(key))


if __name__ == "__main__":
    unittest.main()
