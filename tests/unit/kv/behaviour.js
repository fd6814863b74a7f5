// Each case is what a Worker may do with KV; it returns what the Worker then sees.

const MIB = 1024 * 1024;

async function attempt(action) {
  try {
    return { value: (await action()) ?? null };
  } catch (error) {
    return { error: String(error.message) };
  }
}

const names = (page) => page.keys.map((key) => key.name);

function stream(size) {
  let sent = 0;
  return new ReadableStream({
    pull(controller) {
      if (sent >= size) return controller.close();
      const part = Math.min(65536, size - sent);
      sent += part;
      controller.enqueue(new Uint8Array(part).fill(7));
    },
  });
}

const cases = {
  async text({ KV }) {
    await KV.put("k", "grün 😀");
    return [await KV.get("k"), await KV.get("k", "text"), await KV.get("k", {})];
  },

  async types({ KV }) {
    await KV.put("k", JSON.stringify({ a: [1, "é"] }));
    const buffer = await KV.get("k", "arrayBuffer");
    const body = await KV.get("k", { type: "stream" });
    return [
      await KV.get("k", "json"),
      buffer.byteLength,
      await new Response(body).text(),
      await attempt(() => KV.get("k", "blob")),
    ];
  },

  async json_that_is_none({ KV }) {
    await KV.put("k", "{");
    return "error" in (await attempt(() => KV.get("k", "json")));
  },

  async bytes({ KV }) {
    await KV.put("buffer", new Uint8Array([0, 255, 128, 10]).buffer);
    await KV.put("view", new Uint8Array([9, 0, 255, 9]).subarray(1, 3));
    await KV.put("stream", stream(3));
    const read = async (key) => [...new Uint8Array(await KV.get(key, "arrayBuffer"))];
    return [await read("buffer"), await read("view"), await read("stream")];
  },

  async other_values({ KV }) {
    await KV.put("number", 5);
    await KV.put("empty", "");
    return [
      await KV.get("number"),
      await KV.get("empty"),
      (await attempt(() => KV.put("k", { a: 1 }))).error,
    ];
  },

  async missing({ KV }) {
    const { value, metadata } = await KV.getWithMetadata("k");
    return [await KV.get("k"), await KV.get("k", "json"), value, metadata];
  },

  async metadata({ KV }) {
    await KV.put("k", "v", { metadata: { m: "é😀", n: [1, null] } });
    await KV.put("none", "v");
    const { value, metadata } = await KV.getWithMetadata("k");
    const none = await KV.getWithMetadata("none", "json").catch(() => null);
    return [value, metadata, none, (await KV.getWithMetadata("none")).metadata];
  },

  async metadata_of_json_null({ KV }) {
    await KV.put("k", "v", { metadata: null });
    return (await KV.getWithMetadata("k")).metadata;
  },

  async metadata_limit({ KV }) {
    const put = (size) => KV.put("k", "v", { metadata: "m".repeat(size - 2) });
    return [await attempt(() => put(1024)), await attempt(() => put(1025))];
  },

  async metadata_far_over_the_limit({ KV }) {
    return attempt(() => KV.put("k", "v", { metadata: "m".repeat(30_000) }));
  },

  async cache_status({ KV }) {
    await KV.put("k", "v");
    return (await KV.getWithMetadata("k")).cacheStatus;
  },

  async overwriting_drops_the_rest({ KV }) {
    await KV.put("k", "1", { metadata: 1, expirationTtl: 100 });
    await KV.put("k", "2");
    return [await KV.getWithMetadata("k"), (await KV.list()).keys];
  },

  async keys({ KV }) {
    const keys = ["a/b c?d#é", "/", "//", "a%2Fb", "%", "+", " ", "...", "../x", "😀",
      "a\nb", "\u0000", "k?urlencoded=true", "k".repeat(512), "bulk/get", "a&b=c"];
    for (const key of keys) await KV.put(key, key);
    const back = await Promise.all(keys.map((key) => KV.get(key)));
    const listed = names(await KV.list());
    return [
      keys.filter((key, i) => back[i] !== key),
      keys.filter((key) => !listed.includes(key)),
      listed.length === keys.length,
    ];
  },

  async a_lone_surrogate({ KV }) {
    const key = "\ud800";
    return [
      (await attempt(() => KV.put(key, "v"))).error,
      (await attempt(() => KV.get(key))).error,
    ];
  },

  async wrong_keys({ KV }) {
    const all = [];
    for (const key of ["", ".", "..", "é".repeat(257)]) {
      all.push((await attempt(() => KV.get(key))).error);
    }
    return all;
  },

  async deleting({ KV }) {
    await KV.put("k", "v");
    await KV.delete("k");
    return [await KV.get("k"), await attempt(() => KV.delete("k"))];
  },

  async expiration_ttl({ KV, clock }) {
    await KV.put("k", "v", { expirationTtl: 60 });
    await KV.put("later", "v", { expirationTtl: 300 });
    const seen = [await KV.get("k")];
    await clock(62_000);
    seen.push(await KV.get("k"), names(await KV.list()), await KV.get("later"));
    seen.push([...(await KV.get(["k", "later"]))]);
    return seen;
  },

  async expiration({ KV, clock, now }) {
    const at = now() + 90;
    await KV.put("k", "v", { expiration: at });
    const listed = (await KV.list()).keys[0].expiration - at;
    await clock(92_000);
    return [listed, await KV.get("k"), (await KV.list()).keys];
  },

  async a_ttl_in_a_list({ KV, now }) {
    await KV.put("k", "v", { expirationTtl: 1000 });
    const off = (await KV.list()).keys[0].expiration - now() - 1000;
    return Math.abs(off) <= 1;
  },

  async wrong_times({ KV }) {
    const put = async (options) => (await attempt(() => KV.put("k", "v", options)))
      .error ?? "stored";
    return [
      await put({ expirationTtl: 59 }),
      await put({ expirationTtl: 0 }),
      await put({ expirationTtl: -5 }),
      await put({ expirationTtl: 60.9 }),
      await put({ expiration: 1000 }),
      await put({ expiration: 1000, expirationTtl: 60 }),
    ];
  },

  async an_expiration_too_near({ KV, now }) {
    const { error } = await attempt(() => KV.put("k", "v", { expiration: now() + 30 }));
    return error.replace(/\d{9,}/, "N");
  },

  async cache_ttl({ KV }) {
    await KV.put("k", "v");
    const all = [];
    for (const cacheTtl of [29, 0, 30, 86400]) {
      all.push(await attempt(() => KV.get("k", { cacheTtl })));
    }
    all.push(await attempt(() => KV.get(["k"], { cacheTtl: 5 }).then((m) => [...m])));
    all.push(await attempt(() => KV.get(["k"], { cacheTtl: 60 }).then((m) => [...m])));
    return all;
  },

  async list_order({ KV }) {
    const keys = ["b", "a", "aa", "Z", "é", "\uffff", "😀", "a/b", "~"];
    for (const key of keys) await KV.put(key, "");
    const { keys: found, list_complete, cursor } = await KV.list();
    return [found, list_complete, cursor ?? null];
  },

  async list_pages({ KV }) {
    const keys = Array.from({ length: 7 }, (_, i) => `p${i}`);
    await Promise.all(["o", "q", ...keys].map((key) => KV.put(key, "")));
    const pages = [];
    let cursor;
    do {
      const page = await KV.list({ prefix: "p", limit: 3, cursor });
      pages.push([names(page), page.list_complete]);
      cursor = page.cursor;
    } while (cursor);
    const whole = await KV.list({ prefix: "p", limit: 7 });
    return [pages, whole.list_complete, whole.cursor ?? null];
  },

  async list_options({ KV }) {
    await KV.put("k", "v");
    const list = async (options) => {
      const { value, error } = await attempt(() => KV.list(options));
      return error ?? names(value);
    };
    return [
      await list({ limit: 0 }),
      await list({ limit: 1000 }),
      await list({ limit: 1001 }),
      await list({ cursor: "\u00ff" }),
      await list({ cursor: "" }),
      await list({ prefix: "none" }),
      await list({ prefix: "p".repeat(513) }),
      await list({ prefix: "p".repeat(30_000) }),
      await list({ prefix: "" }),
    ];
  },

  async list_metadata({ KV }) {
    await KV.put("k", "v", { metadata: { m: "é" } });
    await KV.put("l", "v");
    return (await KV.list()).keys;
  },

  async bulk({ KV }) {
    await KV.put("a", "1");
    await KV.put("b/é", '"2"', { metadata: { m: 1 } });
    return [
      [...(await KV.get(["a", "b/é", "none"]))],
      [...(await KV.get(["a", "b/é"], "json"))],
      [...(await KV.getWithMetadata(["a", "b/é", "none"]))]
        .map(([key, found]) => [key, found?.value ?? null, found?.metadata ?? null]),
      [...(await KV.get(["a", "a"]))],
    ];
  },

  async wrong_bulks({ KV }) {
    await KV.put("k", "no json");
    const get = async (...args) => (await attempt(() => KV.get(...args))).error;
    return [
      await get([]),
      await get(Array.from({ length: 101 }, (_, i) => `k${i}`)),
      await get(["k"], "stream"),
      await get(["k"], "json"),
      await get([""]),
      await get(["."]),
      await get(["k".repeat(513)]),
    ];
  },

  async bulk_100({ KV }) {
    await KV.put("k7", "v");
    const found = await KV.get(Array.from({ length: 100 }, (_, i) => `k${i}`));
    return [found.size, found.get("k7"), found.get("k8")];
  },

  async bulk_too_large({ KV }) {
    await KV.put("a", stream(13 * MIB));
    await KV.put("b", stream(13 * MIB));
    return (await attempt(() => KV.get(["a", "b"]))).error;
  },

  async large_values({ KV }) {
    const all = [];
    for (const size of [16 * 1024, 16 * 1024 + 1, 300_000, 25 * MIB]) {
      await KV.put("k", new Uint8Array(size).fill(7));
      const read = new Uint8Array(await KV.get("k", "arrayBuffer"));
      all.push(read.length === size && read.every((byte) => byte === 7));
      await KV.put("s", stream(size), { metadata: size });
      const { value, metadata } = await KV.getWithMetadata("s", "stream");
      let count = 0;
      for await (const part of value) count += part.length;
      all.push(count === size && metadata === size);
    }
    return all;
  },

  async values_too_large({ KV }) {
    await KV.put("k", "old");
    const put = async (value) => (await attempt(() => KV.put("k", value))).error;
    return [
      await put(new Uint8Array(25 * MIB + 1)),
      await put(new Uint8Array(30 * MIB)),
      await put(stream(30 * MIB)),
      await KV.get("k"),
    ];
  },

  async a_large_value_with_wrong_options({ KV }) {
    const put = (value) => KV.put("k", value, { expirationTtl: 5 });
    return [
      (await attempt(() => put(new Uint8Array(5 * MIB)))).error,
      (await attempt(() => put(stream(5 * MIB)))).error,
    ];
  },

  async half_a_value_read({ KV }) {
    await KV.put("k", stream(8 * MIB));
    const reader = (await KV.get("k", "stream")).getReader();
    await reader.read();
    await reader.cancel();
    return (await KV.get("k", "arrayBuffer")).byteLength;
  },

  async a_stream_that_breaks({ KV }) {
    await KV.put("k", "old");
    const broken = new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(100_000));
        controller.error(new Error("broken"));
      },
    });
    const { error } = await attempt(() => KV.put("k", broken));
    return [error, await KV.get("k")];
  },

  async many_at_once({ KV }) {
    const keys = Array.from({ length: 200 }, (_, i) => `k${i}`);
    await Promise.all(keys.map((key) => KV.put(key, key.repeat(10))));
    const found = await Promise.all(keys.map((key) => KV.get(key)));
    return found.every((value, i) => value === keys[i].repeat(10));
  },

  async one_key_at_once({ KV }) {
    const values = Array.from({ length: 40 }, (_, i) => String(i).repeat(i * 1000 + 1));
    await Promise.all(values.map((value) => KV.put("k", value)));
    return values.includes(await KV.get("k"));
  },

  async list_1000({ KV }) {
    const batch = (from) => Array.from({ length: 100 }, (_, i) =>
      KV.put(`key ${String(from + i).padStart(5, "0")}`, "v"));
    for (let from = 0; from < 1100; from += 100) await Promise.all(batch(from));
    const first = await KV.list();
    const rest = await KV.list({ cursor: first.cursor });
    return [first.keys.length, first.list_complete, rest.keys.length, rest.list_complete];
  },
};

let skew = 0;

export default {
  async fetch(request, env) {
    const name = new URL(request.url).pathname.slice(1);
    if (!(name in cases)) return Response.json(Object.keys(cases));
    let page;
    do {
      page = await env.KV.list();
      await Promise.all(page.keys.map((key) => env.KV.delete(key.name)));
    } while (!page.list_complete);
    const clock = async (ms) => {
      skew += ms;
      await env.CLOCK.fetch(`http://clock/clock?advance=${ms}`, { method: "POST" });
    };
    const now = () => Math.floor((Date.now() + skew) / 1000);
    return Response.json((await cases[name]({ KV: env.KV, clock, now })) ?? null);
  },
};
