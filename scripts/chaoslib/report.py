"""What is printed while it goes on, what is counted, and what was found."""

import statistics
import threading
import time


# Violations of one rule that are printed.
MAX_SHOWN = 5


class Report:
    def __init__(self, path):
        self.lock = threading.Lock()
        self.begun = time.monotonic()
        self.file = open(path, "w", encoding="utf-8")  # noqa: SIM115: it lives as long as this
        self.violations = []
        self.counters = {}
        self.gaps = {}
        self.last_success = time.monotonic()
        self.window = None

    # --- Lines

    def line(self, text):
        with self.lock:
            line = f"{time.monotonic() - self.begun:8.2f}  {text}"
            print(line, flush=True)
            self.file.write(line + "\n")
            self.file.flush()

    def detail(self, text):
        """For the file alone."""
        with self.lock:
            self.file.write(f"{time.monotonic() - self.begun:8.2f}    {text}\n")
            self.file.flush()

    def violation(self, rule, what):
        with self.lock:
            self.violations.append((rule, what))
            number = sum(rule == other for other, _ in self.violations)
        text = f'VIOLATION of "{rule}": {what}'
        # One cause may be seen a thousand times; the file has them all.
        if number <= MAX_SHOWN:
            self.line(text)
        else:
            self.detail(text)

    def count(self, name, number=1):
        with self.lock:
            self.counters[name] = self.counters.get(name, 0) + number

    # --- How long nothing was acknowledged

    def succeeded(self):
        """A write was acknowledged to some client."""
        with self.lock:
            now = time.monotonic()
            if self.window:
                self.window[1] = max(self.window[1], now - max(self.window[2], self.last_success))
            self.last_success = now

    def begin_window(self, kind):
        with self.lock:
            self.window = [kind, 0.0, time.monotonic() - 0.2]

    def end_window(self):
        with self.lock:
            kind, gap, begun = self.window
            gap = max(gap, time.monotonic() - max(begun, self.last_success))
            self.gaps.setdefault(kind, []).append(gap)
            self.window = None
            return gap

    # --- The end

    def summary(self):
        for kind, gaps in sorted(self.gaps.items()):
            self.line(
                f"  {kind:<34} {len(gaps):>4} times   longest time without an acknowledgement: "
                f"median {statistics.median(gaps) * 1000:6.0f} ms, worst {max(gaps) * 1000:6.0f} ms"
            )
        for name, number in sorted(self.counters.items()):
            self.line(f"  {name:<60} {number:>10,}")

    def close(self):
        with self.lock:
            self.file.close()
