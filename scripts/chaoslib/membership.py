"""Members that leave, come back, and are replaced, by the interface that operators use."""

import json
import random
import shutil
import time

from clusterlib.cluster import ClusterError
from clusterlib.connection import Connection, Unreachable

CHANGE_SECONDS = 90


class Membership:
    def __init__(self, chaos):
        self.chaos = chaos
        self.cluster = chaos.cluster
        self.report = chaos.report
        # Known when the cluster runs.
        self.is_possible = False

    def probe(self):
        """Whether this build can change its members: an older one knows no such path."""
        connection = Connection(self.cluster.api[self.cluster.ids[0]], 15)
        reply = connection.request("DELETE", "/v1/cluster/members/nobody")
        self.is_possible = reply.problem() != "unknown-path"
        return self.is_possible

    def timed(self, what, begun):
        self.report.detail(f"{what} after {time.monotonic() - begun:.2f} s")

    def ask(self, method, path, body=b"", avoiding=None):
        """The first answer that is no plea for patience, from any node."""
        end = time.monotonic() + CHANGE_SECONDS
        last = "nobody answers"
        while time.monotonic() < end:
            # The seed's generator decides about faults; how often we must ask is not for it to decide.
            id = random.choice([id for id in self.cluster.running() if id != avoiding] or self.cluster.ids)
            connection = Connection(self.cluster.api[id], 12)
            try:
                # Short, so that what holds meanwhile is kept up.
                reply = connection.request(
                    method, f"{path}?timeout=2s", body, "Content-Type: application/json\r\n")
                if reply.status < 500 and reply.status != 429:
                    return reply
                last = f"{id}: {reply.status} {reply.body[:300]!r}"
                if reply.status not in (429, 503, 504):
                    self.report.violation("no request fails", f"{method} {path}: {last}")
            except Unreachable as error:
                last = f"{id}: {error}"
            finally:
                connection.close()
            self.chaos.hold()
            time.sleep(0.2)
        raise ClusterError(f"{method} {path} {body.decode()}: no answer within {CHANGE_SECONDS} s, last: {last}")

    def remove(self, id):
        begun = time.monotonic()
        reply = self.ask("DELETE", f"/v1/cluster/members/{id}", avoiding=id)
        self.timed(f"removal of {id} answered {reply.status}", begun)
        # Asked twice, because the first answer was lost, the member is gone already.
        if reply.status not in (200, 202, 204, 404):
            self.report.violation("a member can be removed", f"{id}: {reply}")
        self.await_member(id, False)
        self.timed(f"{id} is no member", begun)
        self.report.count("members removed")

    def add(self, id):
        begun = time.monotonic()
        body = json.dumps({"id": id}).encode()
        reply = self.ask("POST", "/v1/cluster/members", body, avoiding=id)
        self.timed(f"addition of {id} answered {reply.status}", begun)
        if reply.status not in (200, 201, 202):
            self.report.violation("a member can be added", f"{id}: {reply}")
        self.await_member(id, True)
        self.timed(f"{id} is a member", begun)
        self.report.count("members added")

    def await_member(self, id, is_wanted):
        """Until the leader says so."""
        end = time.monotonic() + CHANGE_SECONDS
        view = None
        while time.monotonic() < end:
            leader = self.cluster.likely_leader()
            view = self.cluster.view(leader) if leader else None
            if view and view["leader"] == view["node"]:
                changes = {member["id"]: member["change"] for member in view["members"]}
                if (id in changes) == is_wanted and not any(changes.values()):
                    return
            self.chaos.hold()
            time.sleep(0.1)
        raise ClusterError(f"{id} is {'not' if is_wanted else 'still'} a member after {CHANGE_SECONDS} s: {view}")

    def replace(self, id):
        """A node that has lost its disk: out under its old identity, in under a new one."""
        if id in self.cluster.processes:
            self.cluster.kill(id)
        self.remove(id)
        if self.chaos.disks:
            self.chaos.disks.clear(id)
        else:
            shutil.rmtree(self.cluster.data(id))
        self.cluster.start(id)
        self.add(id)
        self.report.count("nodes replaced")
