"""What every handler of a task does: read the payload, say how far it is, and end in a way that Carillon understands.

Exit status 0: standard output is the result. 75 (EX_TEMPFAIL): it may work later. 65 (EX_DATAERR): the payload is wrong,
and will be. 78 (EX_CONFIG): the handler is not set up. What is wrong is said on standard error, which is the task's log.
"""

import json
import os
import sys

TEMPORARY, DATA, CONFIGURATION = 75, 65, 78
PROGRESS_DESCRIPTOR = 3


class Failure(Exception):
    """Ends the attempt with this status."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class Payload:
    """The payload, read by name; a mistake names the field."""

    def __init__(self, text):
        try:
            self.fields = json.loads(text)
        except ValueError as error:
            raise Failure(DATA, f"the payload is not JSON: {error}") from error
        if not isinstance(self.fields, dict):
            raise Failure(DATA, "the payload has to be an object")
        self.known = set()

    def get(self, name, kind=str, default=None, is_required=False):
        self.known.add(name)
        value = self.fields.get(name, default)
        if value is None and is_required:
            raise Failure(DATA, f"/{name} is required")
        if value is not None and (not isinstance(value, kind) or kind is not bool and isinstance(value, bool)):
            raise Failure(DATA, f"/{name} has to be of another type: {json.dumps(value)[:80]}")
        return value

    def texts(self, name, is_required=False):
        """A text, or a list of texts."""
        value = self.get(name, (str, list), is_required=is_required)
        values = [value] if isinstance(value, str) else value or []
        if is_required and not values or not all(isinstance(item, str) and item for item in values):
            raise Failure(DATA, f"/{name} has to be a text, or a list of texts")
        return values

    def finish(self):
        """What nobody asked for is most likely mistyped."""
        for name in self.fields:
            if name not in self.known:
                raise Failure(DATA, f"/{name} is not known; known are {', '.join(sorted(self.known))}")


def setting(name, default=None):
    value = os.environ.get(name) or default
    if value is None:
        raise Failure(CONFIGURATION, f"the environment variable {name} is not set")
    return value


def task_id():
    return os.environ.get("CARILLON_TASK_ID", "t0")


def progress(percent, note=""):
    """Seen in the task while it runs. By hand nobody listens on that descriptor."""
    try:
        os.write(PROGRESS_DESCRIPTOR, json.dumps({"progress": int(percent), "note": note}).encode() + b"\n")
    except OSError:
        pass


def run(handle):
    """`handle(payload)` gives the result, anything that JSON can say."""
    try:
        result = handle(Payload(sys.stdin.read()))
    except Failure as failure:
        print(failure, file=sys.stderr)
        sys.exit(failure.status)
    json.dump(result, sys.stdout, ensure_ascii=False)
    print()
