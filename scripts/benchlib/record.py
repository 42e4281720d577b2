"""What every single run said, as a file."""

import json


def save(path, machine, runs):
    if path:
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"machine": machine.facts(), "runs": runs}, file, indent=1)
