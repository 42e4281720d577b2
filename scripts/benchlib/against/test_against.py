"""What becomes of figures of several sides, and what is started how, without any server."""

import os
import struct
import tempfile
import unittest
from types import SimpleNamespace

from benchlib.against.carillon import RUN, RUN_MANY, STRUCK, TO_ALL, TO_LEADER, Carillon, words
from benchlib.against.comparison import Comparison, order, spread
from benchlib.against.etcd import Etcd
from benchlib.against.jobs import RQ, Celery, Dramatiq, Huey, done_count, done_times, drain_rate
from benchlib.against.load import Load, Way, loads, pace
from benchlib.against.nats import CONFIGURATION
from benchlib.against.redis import Redis
from benchlib.against.session import PEERS, WHOLE, peer_classes, planned, takes_any
from benchlib.against.text import BEGIN, END, comparison_text, ratio, table
from benchlib.against.tools import Tools, first_version
from clusterlib.cluster import ROOT

GRPC = Etcd.ways[0]
SINGLE = Load("submit", 64)


def figures(rate, **others):
    return {"tasksPerSecond": rate, "latencyP50Milliseconds": 1, "latencyP99Milliseconds": 2,
            "generatorCPUShare": 0.5, "errors": {}, **others}


def three_rounds():
    """The machine halves in the second round, for all."""
    found = Comparison()
    for ours, theirs in ((9_000, 3_000), (4_000, 2_000), (8_000, 2_000)):
        found.begin_round()
        found.add(SINGLE, TO_LEADER, figures(ours))
        found.add(SINGLE, GRPC, figures(theirs))
    return found


class ComparisonTests(unittest.TestCase):
    def test_ratios_are_of_figures_of_the_same_round(self):
        found = three_rounds()
        self.assertEqual(found.ratios(SINGLE, TO_LEADER, GRPC), [3, 2, 4])
        # That of the medians would be another one.
        self.assertEqual(ratio(found, SINGLE, TO_LEADER, GRPC), "3.00 (2.00 to 4.00) ×")
        self.assertEqual(ratio(found, SINGLE, TO_LEADER, TO_LEADER), "–")

    def test_a_round_that_lacks_one_of_both_counts_for_nothing(self):
        found = three_rounds()
        found.begin_round()
        found.add(SINGLE, GRPC, figures(1))
        self.assertEqual(len(found.ratios(SINGLE, TO_LEADER, GRPC)), 3)
        self.assertEqual(found.values(SINGLE, GRPC, "tasksPerSecond"), [3_000, 2_000, 2_000, 1])
        self.assertEqual(found.ratios(SINGLE, TO_ALL, GRPC), [])
        self.assertEqual(ratio(found, SINGLE, TO_ALL, GRPC), "–")

    def test_what_is_run_is_compared_by_what_is_done(self):
        found = Comparison()
        found.begin_round()
        queue = Way("huey", "one thread", ("run",))
        found.add(Load("run"), RUN, {"donePerSecond": 10_000, "errors": {}})
        found.add(Load("run"), queue, {"donePerSecond": 2_000, "errors": {}})
        self.assertEqual(found.ratios(Load("run"), RUN, queue), [5])

    def test_the_shorter_gap_is_the_better_one(self):
        found = Comparison()
        found.begin_round()
        found.add(Load("failover"), STRUCK, {"gapMedianMilliseconds": 100})
        found.add(Load("failover"), GRPC, {"gapMedianMilliseconds": 1_200})
        self.assertAlmostEqual(found.ratios(Load("failover"), STRUCK, GRPC)[0], 12)

    def test_a_round_of_strikes_is_told_by_their_median_and_the_longest(self):
        peer = Etcd(Tools("/nowhere"), pace(False))
        gaps = iter([30, 10, 20])
        peer.strike = lambda way: {"gapMaxMilliseconds": next(gaps), "silenceMaxMilliseconds": 5}
        told = peer.measure(GRPC, Load("failover"))
        self.assertEqual((told["gapMedianMilliseconds"], told["gapMaxMilliseconds"]), (20, 30))

    def test_a_side_that_breaks_off_is_told_and_keeps_its_figures(self):
        found = three_rounds()
        found.failed("etcd", "no leader after 60 s")
        machine = SimpleNamespace(facts=dict)
        text = comparison_text(found, machine, [], 3, False)
        self.assertIn("Broken off:\n\n- etcd, round 3: no leader after 60 s\n", text)
        self.assertIn("3.00 (2.00 to 4.00) ×", text)
        self.assertNotIn("Broken off", comparison_text(three_rounds(), machine, [], 3, False))

    def test_errors_are_added_by_kind(self):
        found = Comparison()
        for count in (2, 3):
            found.begin_round()
            found.add(SINGLE, GRPC, figures(1, errors={"stalled": count}))
        self.assertEqual(found.errors(SINGLE, GRPC), {"stalled": 5})

    def test_every_other_round_goes_the_other_way(self):
        sides = ["carillon", "etcd", "redis"]
        self.assertEqual(order(sides, 0), sides)
        self.assertEqual(order(sides, 1), ["redis", "etcd", "carillon"])
        self.assertEqual(order(sides, 2), sides)

    def test_spread(self):
        self.assertEqual(spread([3], str), "3")
        self.assertEqual(spread([3, 1, 2], str), "2 (1 to 3)")


class TextTests(unittest.TestCase):
    def test_a_table_has_a_column_of_ratios_for_each_way_of_carillon(self):
        found = Comparison()
        found.begin_round()
        found.add(SINGLE, GRPC, figures(2_000))
        found.add(SINGLE, TO_LEADER, figures(9_000))
        found.add(SINGLE, TO_ALL, figures(6_000))
        self.assertEqual(table(found, "submit", list(found.measured().items())), [
            "| connections | side | tasks/s | latency p50, ms | latency p99, ms | generator, % of a processor "
            "| Carillon, to the leader | Carillon, to all nodes |",
            "|---|---|---|---|---|---|---|---|",
            "| 64 | carillon, to the leader | 9,000 | 1 | 2 | 50 | – | 0.67 × |",
            "| 64 | carillon, to all nodes | 6,000 | 1 | 2 | 50 | 1.50 × | – |",
            "| 64 | etcd, gRPC | 2,000 | 1 | 2 | 50 | 4.50 × | 3.00 × |",
        ])

    def test_the_text_names_versions_errors_and_commands(self):
        found = Comparison()
        found.begin_round()
        found.add(SINGLE, TO_LEADER, figures(9_000))
        found.add(SINGLE, GRPC, figures(3_000, errors={"status 500": 4}))
        found.add(Load("submit", 16, 100), TO_LEADER, figures(50_000))
        found.add(Load("failover"), STRUCK, {"gapMedianMilliseconds": 40, "gapMaxMilliseconds": 50})
        found.add(Load("failover"), GRPC, {"gapMedianMilliseconds": 1_200, "gapMaxMilliseconds": 1_300})
        tools, times = Tools("/nowhere"), pace(False)
        sides = [Carillon(tools, times, "carillon"), Etcd(tools, times)]
        sides[1].version = lambda: "3.4.23"
        text = comparison_text(found, SimpleNamespace(facts=lambda: {"processors": 2}), sides, 1, True)
        for expected in (
            "| processors | 2 |", "| etcd | 3.4.23 |", "1 round of short runs", "**One task a request**",
            "**100 tasks a request**", "- etcd, gRPC, 64 connections, 1 a request: 4 × status 500",
            "- etcd, gRPC: `peerload -to etcd -address HOST:PORT -connections N",
            "| etcd, gRPC | 1,200 | 1,300 | – | 30.00 × |",
            "- etcd, gRPC: `peerload -to etcd -address HOST:PORT,… -payload 256 -strike PROCESS`",
            "- carillon, default timing: `carillon bench failover --rounds 1 --rate 200",
            "- carillon, to the leader: `carillon bench submit --connections N --bulk B --to leader",
        ):
            self.assertIn(expected, text)
        # It has not been measured.
        self.assertNotIn("HTTP and JSON", text)

    def test_the_page_has_a_place_for_it(self):
        with open(f"{ROOT}/docs/BENCHMARKS.md", encoding="utf-8") as file:
            page = file.read()
        self.assertEqual((page.count(BEGIN), page.count(END)), (1, 1))
        self.assertLess(page.index(BEGIN), page.index(END))


class PlanTests(unittest.TestCase):
    def test_peers_are_named(self):
        self.assertEqual(peer_classes("redis, etcd,redis"), [Redis, Etcd])
        with self.assertRaisesRegex(ValueError, "kafka.*etcd, nats"):
            peer_classes("etcd,kafka")
        self.assertLessEqual(WHOLE, {peer.name for peer in PEERS})
        self.assertEqual(len({peer.name for peer in PEERS}), len(PEERS))

    def test_loads_are_put_on_ways_that_take_them(self):
        self.assertTrue(GRPC.takes(Load("submit", 16, 100)))
        self.assertFalse(GRPC.takes(Load("submit", 16, 1000)))
        self.assertFalse(GRPC.takes(Load("run")))
        self.assertTrue(RUN.takes(Load("run")))
        self.assertFalse(RUN.takes(SINGLE))
        self.assertEqual([load.connections for load in loads(False) if load.batch == 1][:4], [1, 16, 64, 256])

    def test_only_what_can_be_compared_is_planned(self):
        tools, times = Tools("/nowhere"), pace(False)
        etcd, rq = Etcd(tools, times), RQ(tools, times)
        self.assertEqual({load.kind for load in planned(loads(False), [rq], [])}, {"run"})
        # It takes no transactions of a thousand.
        self.assertEqual({load.batch for load in planned(loads(False), [etcd], [])}, {1, 100})
        self.assertEqual(planned(loads(False), [etcd, rq], ["fail"]), [Load("failover")])
        self.assertEqual(planned(loads(True), [etcd], ["failover"]), [])
        self.assertFalse(takes_any(Redis(tools, times), [Load("failover")]))
        for load in loads(False):
            self.assertTrue(takes_any(Carillon(tools, times, "carillon"), [load]))

    def test_words_of_carillon_bench(self):
        times = pace(False)
        rest = ["--payload", "256", "--seconds", str(times.seconds), "--warmup", str(times.warmup)]
        self.assertEqual(words(RUN, 0, 1, times), ["run", "--connections", "64", *rest])
        self.assertEqual(words(RUN_MANY, 0, 1, times), ["run", "--connections", "256", "--outstanding", "4000", *rest])
        self.assertEqual(
            words(TO_LEADER, 8, 100, times),
            ["submit", "--connections", "8", "--bulk", "100", "--to", "leader", *rest],
        )
        self.assertNotIn("--to", words(TO_ALL, 8, 100, times))

    def test_workers_have_commands(self):
        tools, times = Tools("/nowhere"), pace(False)
        for peer in (Dramatiq, Huey, Celery, RQ):
            queue = peer(tools, times)
            (way,) = queue.ways
            self.assertEqual(way.kinds, ("run",))
            self.assertTrue(os.path.exists(f"{ROOT}/scripts/peers/jobs/{queue.application}.py"))
            self.assertTrue(queue.command(way, "run"))

    def test_configuration_of_nats(self):
        text = CONFIGURATION.format(
            host="127.0.0.1", client=1, monitor=2, name="m0", store="/data", route=3, routes='"nats://127.0.0.1:3"'
        )
        self.assertIn('jetstream { store_dir: "/data"', text)
        self.assertIn('listen: "127.0.0.1:3"', text)


class ToolsTests(unittest.TestCase):
    def test_what_is_missing_is_told_with_its_package(self):
        with tempfile.TemporaryDirectory() as directory:
            tools = Tools(directory)
            tools.program = lambda name: None
            lines = tools.missing([Etcd(tools, pace(True)), RQ(tools, pace(True))])
            self.assertEqual(lines, [
                "etcd: there is no program etcd; Debian's package is etcd-server",
                "rq: there is no program redis-server; Debian's package is redis-server",
                f"rq: {directory}/python has no rq; pip install rq",
                f"rq: {directory}/python has no redis; pip install redis",
                f"the load generator {directory}/peerload is not built",
                "scripts/bench-peers installs and builds all of it",
            ])
            tools.program = lambda name: "/bin/true"
            with open(f"{directory}/peerload", "w", encoding="utf-8"):
                os.chmod(f"{directory}/peerload", 0o755)
            self.assertEqual(tools.missing([Etcd(tools, pace(True))]), [])

    def test_versions(self):
        self.assertEqual(first_version("Redis server v=7.0.15 sha=00000000:0 bits=64"), "7.0.15")
        self.assertEqual(first_version("nats-server: v2.9.10"), "2.9.10")
        self.assertEqual(first_version("etcd Version: 3.4.23\nGo Version: go1.19.8"), "3.4.23")
        self.assertEqual(first_version(""), "unknown")


class JobTests(unittest.TestCase):
    def test_times_are_read_in_order_and_half_of_one_is_left(self):
        with tempfile.TemporaryDirectory() as directory:
            path = f"{directory}/done"
            self.assertEqual((done_count(path), done_times(path)), (0, []))
            with open(path, "wb") as file:
                file.write(struct.pack("<ddd", 3, 1, 2) + b"torn")
            self.assertEqual((done_count(path), done_times(path)), (3, [1, 2, 3]))

    def test_the_start_of_the_worker_is_not_counted(self):
        # One job at once, a second of nothing, and then 100 a second.
        times = [0, *(1 + number / 100 for number in range(39))]
        self.assertAlmostEqual(drain_rate(times), 100, delta=1)


if __name__ == "__main__":
    unittest.main()
