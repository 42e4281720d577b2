"""Dramatiq."""

import dramatiq
import record
from dramatiq.brokers.redis import RedisBroker

dramatiq.set_broker(RedisBroker(url=record.REDIS))


@dramatiq.actor
def run(_payload):
    record.done()


submit = run.send
