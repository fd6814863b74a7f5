// Stands in for a Worker that a service binding names but that does not run here.
import { WorkerEntrypoint } from "cloudflare:workers";

// The engine asks every entrypoint for these; they are nobody's methods.
const HANDLERS = new Set(["then", "trace", "tail", "tailStream", "connect"]);

export default class Absent extends WorkerEntrypoint {
  constructor(ctx, env) {
    super(ctx, env);
    const fail = () => {
      throw new Error(env.message);
    };
    return new Proxy(this, {
      get: (target, name) =>
        typeof name === "symbol" || HANDLERS.has(name) ? target[name] : fail,
    });
  }
}
