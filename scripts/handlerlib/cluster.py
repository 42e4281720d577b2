"""The cluster as a handler sees it: the HTTP interface of any node."""

import json
import os
import urllib.error
import urllib.parse
import urllib.request
from datetime import datetime

from .attempt import DATA, TEMPORARY, Failure

TIMEOUT_SECONDS = 30
PAGE = 500


def parse_time(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


class Cluster:
    def __init__(self):
        servers = os.environ.get("CARILLON_SERVER") or "http://127.0.0.1:7201"
        self.servers = [server.strip().rstrip("/") for server in servers.split(",")]
        self.token = os.environ.get("CARILLON_TOKEN")
        # That of the task that runs the handler.
        self.namespace = os.environ.get("CARILLON_NAMESPACE")

    def get(self, path):
        """From the first node that answers."""
        trouble = None
        for server in self.servers:
            base = server if "://" in server else "http://" + server
            request = urllib.request.Request(base + path)
            if self.token:
                request.add_header("Authorization", f"Bearer {self.token}")
            if self.namespace:
                request.add_header("X-Carillon-Namespace", self.namespace)
            try:
                with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as reply:
                    return json.load(reply)
            except urllib.error.HTTPError as error:
                words = error.read(500).decode("utf-8", "replace")
                if error.code < 500 and error.code != 429:
                    raise Failure(DATA, f"{server} says {error.code}: {words}") from error
                trouble = f"{server} says {error.code}: {words}"
            except OSError as error:
                trouble = f"{server} is not there: {error}"
        raise Failure(TEMPORARY, trouble)

    def tasks(self, filters):
        """Page by page, newest first. A page may be empty and have a next one."""
        cursor = None
        while True:
            query = dict(filters, limit=PAGE)
            if cursor:
                query["cursor"] = cursor
            page = self.get("/v1/tasks?" + urllib.parse.urlencode(query))
            yield from page["items"]
            cursor = page.get("next")
            if not cursor:
                return
