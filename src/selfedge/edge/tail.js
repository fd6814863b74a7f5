// Gets the engine's account of every invocation of the Worker that it stands beside,
// and passes it on to our Python side, some at a time.
const FLUSH_MS = 100;
const BATCH = 64;
const WAITING_MAX = 2000;
let waiting = [];
let dropped = 0;
let flushing = false;

export default {
  async tail(events, env) {
    for (const event of events) {
      if (event.entrypoint === "selfedgeControl") continue; // the supervisor asked
      if (event.entrypoint === "selfedgeEdge" && env.assets && event.event?.request) {
        continue; // a file answered, or the entrypoint behind the files tells of it
      }
      if (waiting.length < WAITING_MAX) waiting.push(event);
      else dropped += 1;
    }
    if (flushing) return;
    flushing = true;
    try {
      if (waiting.length < BATCH) {
        await new Promise((done) => setTimeout(done, FLUSH_MS));
      }
      while (waiting.length > 0) await flush(env);
    } finally {
      flushing = false;
    }
  },
};

async function flush(env) {
  const events = waiting.splice(0, BATCH);
  const lost = dropped;
  dropped = 0;
  const body = JSON.stringify({ events, dropped: lost });
  await env.service.fetch("http://tail/", { method: "POST", body });
}
