#!/usr/bin/env node
// A worker for Carillon in JavaScript, for Node.js 18 or later, without packages.
//
//     examples/worker.mjs --server http://127.0.0.1:7201,http://127.0.0.1:7202 --id js1 --slots 4
//
// Write your own handlers below: a function of the payload and an AbortSignal that returns the result, or a promise of
// it. It may throw a Failed to say how it failed; any other error is a failure, too, and is tried again. docs/WORKERS.md
// says what a worker has to keep to; the comments here say where it does.

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";

class Failed extends Error {
  constructor(message, { kind = "error", retry = true } = {}) {
    super(message);
    Object.assign(this, { kind, retry });
  }
}

const handlers = {
  "count-words"(payload) {
    if (typeof payload?.text !== "string") {
      throw new Failed('expected {"text": "…"}', { kind: "payload", retry: false });
    }
    return { words: payload.text.split(/\s+/).filter(Boolean).length };
  },

  /** Something long that ends when it is no longer wanted. */
  async wait(payload, signal) {
    await sleep(payload.ms, null, { signal });
    return null;
  },
};

/** The cluster answered, and the answer is no. */
class Refused extends Error {
  constructor(status, problem) {
    super(`${status}: ${problem.detail}`);
    this.type = String(problem.type).split(":").at(-1);
  }
}

/** Any node will do. One that fails is left for the next one, by all requests. */
class Cluster {
  current = 0;

  constructor(servers) {
    this.servers = servers;
  }

  async call(method, path, body, milliseconds = 15_000, key = undefined) {
    const current = this.current;
    let response, text;
    try {
      response = await fetch(this.servers[current] + path, {
        method,
        headers: { "content-type": "application/json", ...(key && { "idempotency-key": key }) },
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: AbortSignal.timeout(milliseconds),
      });
      text = await response.text();
      if ([429, 500, 502, 503, 504].includes(response.status)) throw new Error(`${response.status}`);
    } catch (error) {
      if (this.current === current) this.current = (current + 1) % this.servers.length;
      throw error;
    }
    const answer = text === "" ? null : JSON.parse(text);
    if (!response.ok) throw new Refused(response.status, answer ?? {});
    return answer;
  }

  /** Tries again until some node answers. */
  async insist(method, path, body, { until = Infinity, key } = {}) {
    for (;;) {
      try {
        return await this.call(method, path, body, undefined, key);
      } catch (error) {
        if (error instanceof Refused || performance.now() >= until) throw error;
        console.error(`no answer, trying again: ${error.message}`);
        await sleep(200);
      }
    }
  }
}

const milliseconds = (text) => Number.parseInt(text, 10);

class Worker {
  running = new Map();
  ended = new Set();
  isLeaving = false;
  isOver = false;
  isReplaced = false;

  constructor(cluster, id, slots) {
    Object.assign(this, { cluster, id, slots, path: `/v1/workers/${id}` });
  }

  async attach() {
    // The lease counts from before the request: when its answer arrives says nothing of when the leader sent it.
    const sent = performance.now();
    const registration = { id: this.id, handlers: Object.keys(handlers), slots: this.slots };
    // One key for all tries: one that was given up and comes late must not end the session of another.
    const answer = await this.cluster.insist("POST", "/v1/workers", registration, { key: randomUUID() });
    this.session = answer.session;
    this.heard = sent;
    this.beat = milliseconds(answer.heartbeat);
    this.lease = milliseconds(answer.lease);
  }

  async beatForever() {
    while (!this.isOver) {
      const sent = performance.now();
      try {
        const answer = await this.cluster.call(
          "POST", `${this.path}/heartbeat?timeout=${this.beat}ms`,
          // Named until its end is answered, lest it be handed out again.
          { session: this.session, running: [...this.running.values()].map(({ task, attempt }) => ({ task, attempt })) },
          this.beat);
        this.heard = sent;
        for (const { task, attempt } of answer.cancel) this.stop(`${task}/${attempt}`);
      } catch (error) {
        if (!(error instanceof Refused)) {
          console.error(`a heartbeat was not heard: ${error.message}`);
        } else if (error.type === "session-lost" || error.type === "not-found") {
          this.stop();
          await this.attach();
        } else {
          console.error(`this worker is over: ${error.message}`);
          this.stop();
          this.isReplaced = this.isLeaving = true;
          return;
        }
      }
      // Whoever hears nothing from the cluster stops by itself, before its work is given to somebody else.
      if (performance.now() >= this.heard + this.lease) this.stop();
      else await sleep(Math.max(0, this.beat - (performance.now() - sent)));
    }
  }

  stop(key) {
    for (const [name, attempt] of this.running) {
      if (key === undefined || key === name) attempt.controller.abort();
    }
  }

  async takeForever() {
    while (!this.isLeaving) {
      const session = this.session;
      this.ended.clear();
      let answer;
      try {
        answer = await this.cluster.call("GET", `${this.path}/assignments?session=${session}&wait=2s`);
      } catch {
        // The heartbeats hear of it as well, and know what to do.
        await sleep(200);
        continue;
      }
      // Who has lost the cluster begins nothing: the attempts may be on their way to others.
      if (performance.now() >= this.heard + this.lease) {
        await sleep(100);
        continue;
      }
      // What another session was given is no longer this worker's.
      if (session !== this.session) continue;
      for (const item of answer.items) {
        // Handed out twice: it came in time after all, and may have ended while the answer was on its way.
        const key = `${item.task}/${item.attempt}`;
        if (!this.running.has(key) && !this.ended.has(key)) this.run(item, session);
      }
    }
  }

  async run({ task, attempt, handler, payload }, session) {
    const controller = new AbortController();
    const key = `${task}/${attempt}`;
    this.running.set(key, { task, attempt, controller });
    let report;
    try {
      const result = (await handlers[handler](payload, controller.signal)) ?? null;
      report = { outcome: "succeeded", result };
    } catch (error) {
      report = { outcome: "failed", error: error.message, kind: error.kind, retry: error.retry };
    }
    try {
      if (!controller.signal.aborted) {
        await this.cluster.insist("POST", `/v1/tasks/${task}/attempts/${attempt}/finish`, { session, ...report });
      }
    } catch (error) {
      console.error(`${key}: ${error.message}`);
    }
    this.running.delete(key);
    this.ended.add(key);
  }

  /** Nothing new; what runs may end; then the rest is somebody else's at once. */
  async leave() {
    const end = performance.now() + 20_000;
    try {
      if (!this.isReplaced) await this.cluster.insist("POST", `${this.path}/drain`, undefined, { until: end });
      while (this.running.size > 0 && performance.now() < end) await sleep(50);
      this.isOver = true;
      if (!this.isReplaced) await this.cluster.insist("DELETE", `${this.path}?session=${this.session}`, undefined, { until: end });
    } catch (error) {
      console.error(`left without a word: ${error.message}`);
    }
  }
}

const usage = "usage: worker.mjs --id ID [--server URL[,URL…]] [--slots N]";

function options() {
  try {
    return parseArgs({
      options: {
        server: { type: "string", default: "http://127.0.0.1:7201" },
        id: { type: "string" },
        slots: { type: "string", default: "4" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    console.error(`${error.message}\n${usage}`);
    process.exit(2);
  }
}

const values = options();
if (values.help) {
  console.log(usage);
  process.exit(0);
}
if (!values.id || !(Number(values.slots) >= 1)) {
  console.error(usage);
  process.exit(2);
}
const worker = new Worker(new Cluster(values.server.split(",")), values.id, Number(values.slots));
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => (worker.isLeaving = true));
await worker.attach();
console.log(`${values.id} is attached`);
worker.beatForever();
worker.takeForever();
while (!worker.isLeaving) await sleep(200);
await worker.leave();
process.exit(worker.isReplaced ? 1 : 0);
