// The rate limit binding: limit({ key }) → { success }. Checks that one turn of the
// Worker makes go to our service in one call. A key that has reached its limit stays
// so until its window ends, and is not asked for again before.
const OPTIONS = ["key", "limit", "period", "delta"];
const PERIODS = [10, 60];
const DELTA_MAX = 2 ** 32 - 1;
const CHECKS_MAX = 1000; // of one call
const FULL_MAX = 10000; // keys that are known to have reached their limit
const FULL_NAME_MAX = 1024; // longer ones are asked for each time
const IN_A_ROW_MAX = 100; // answers without a call while the clock stands still

export default function make({ service, simple }) {
  return new RateLimit(service, simple);
}

class RateLimit {
  #service;
  #simple;
  #waiting = []; // checks of this turn
  #full = new Map(); // check → until when it is known to fail, in milliseconds
  #last = 0; // when it was last answered without a call
  #inARow = 0; // how often so at that very time

  constructor(service, simple) {
    this.#service = service;
    this.#simple = simple;
  }

  async limit(options) {
    const check = checked(options, this.#simple);
    const name = JSON.stringify(check.slice(0, 3));
    const until = this.#full.get(name);
    if (until !== undefined) {
      if ((await this.#now()) < until) return { success: false };
      this.#full.delete(name);
    }
    const success = await this.#ask(check);
    if (!success) this.#remember(name, check[2] * 1000);
    return { success };
  }

  /** The time, which goes on also where a Worker asks in a loop and does no more. */
  async #now() {
    if (Date.now() !== this.#last) this.#inARow = 0;
    this.#inARow += 1;
    if (this.#inARow > IN_A_ROW_MAX) await new Promise((done) => setTimeout(done, 1));
    this.#last = Date.now();
    return this.#last;
  }

  #ask(check) {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ check, resolve, reject });
      if (this.#waiting.length === 1) queueMicrotask(() => this.#send());
    });
  }

  async #send() {
    const all = this.#waiting;
    this.#waiting = [];
    for (let at = 0; at < all.length; at += CHECKS_MAX) {
      this.#call(all.slice(at, at + CHECKS_MAX));
    }
  }

  async #call(asked) {
    try {
      const response = await this.#service.fetch("http://ratelimit/", {
        method: "POST",
        body: JSON.stringify(asked.map(({ check }) => check)),
      });
      if (!response.ok) throw new Error(`rate limit: ${await response.text()}`);
      const allowed = await response.json();
      asked.forEach(({ resolve }, index) => resolve(allowed[index]));
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }

  #remember(name, period) {
    if (name.length > FULL_NAME_MAX) return;
    if (this.#full.size >= FULL_MAX) this.#full.clear();
    const now = Date.now();
    this.#full.set(name, now - (now % period) + period);
  }
}

function checked(options, simple) {
  must(typeof options === "object" && options !== null, "invalid rate limit options");
  const unknown = Object.keys(options).filter((name) => !OPTIONS.includes(name));
  must(unknown.length === 0, `bad rate limit options: [${unknown.join(",")}]`);
  const { key = "", limit = simple.limit, period = simple.period, delta = 1 } = options;
  must(typeof key === "string", `invalid key: ${key}`);
  must(typeof limit === "number", `limit must be a number: ${limit}`);
  must(typeof period === "number", `period must be a number: ${period}`);
  must(PERIODS.includes(period), `unsupported period: ${period}`);
  return [key, limit, period, weight(delta)];
}

function must(holds, message) {
  if (!holds) throw new Error(message);
}

function weight(delta) {
  const value = Number(delta);
  if (!Number.isFinite(value)) {
    throw new TypeError(
      "The value cannot be converted because it is not an integer.",
    );
  }
  if (value < 0) {
    throw new TypeError(
      "The value cannot be converted because it is negative and this API expects " +
        "a positive number.",
    );
  }
  if (value > DELTA_MAX) {
    throw new TypeError(
      `Value out of range. Must be less than or equal to ${DELTA_MAX}.`,
    );
  }
  const whole = Math.trunc(value);
  if (whole === 0) throw new RangeError("delta must be non-zero");
  return whole;
}
