// Each case is what a Worker may do with R2; it returns what the Worker then sees.

const MIB = 1024 * 1024;
const HELLO = "hello world";
const SUMS = {
  md5: "5eb63bbbe01eeed093cb22bb8f5acdc3",
  sha1: "2aae6c35c94fcfb415dbe95f408b9ce91ee846ed",
  sha256: "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9",
  sha384:
    "fdbd8e75a67f29f701a4e040385e2e23986303ea10239211af907fcbb83578b3" +
    "e417cb71ce646efd0819dd8c088de1bd",
  sha512:
    "309ecc489c12d6eb4cc40f50c902f2b4d0ed77ee511a7c7a9bcd3ca86d4cd86f" +
    "989dd35bc5ff499670da34255b45b0cfd830e81f605dcf7dc5542e93ae9cd76f",
};

async function attempt(action) {
  try {
    return { value: (await action()) ?? null };
  } catch (error) {
    return { error: String(error.message) };
  }
}

const show = (found) =>
  found && {
    key: found.key,
    size: found.size,
    etag: found.etag,
    httpEtag: found.httpEtag,
    http: found.httpMetadata,
    custom: found.customMetadata,
    range: found.range ?? null,
    checksums: found.checksums.toJSON(),
    body: "body" in found,
    version: found.version.length > 0,
    fresh: Math.abs(Date.now() - found.uploaded) < 60_000,
  };

const page = (list) => ({
  keys: list.objects.map((found) => found.key),
  prefixes: list.delimitedPrefixes,
  truncated: list.truncated,
});

async function parts(R2, key, sizes, options) {
  const upload = await R2.createMultipartUpload(key, options);
  const made = [];
  for (const [index, size] of sizes.entries()) {
    const bytes = new Uint8Array(size).fill(index + 1);
    made.push(await upload.uploadPart(index + 1, bytes));
  }
  return { upload, made };
}

async function text(R2, key, options) {
  const found = await R2.get(key, options);
  return found && "body" in found ? await found.text() : found && "no body";
}

export const cases = {
  async values({ R2 }) {
    await R2.put("text", "grün 😀");
    await R2.put("buffer", new Uint8Array([0, 255, 10]).buffer);
    await R2.put("view", new Uint8Array([9, 0, 255, 9]).subarray(1, 3));
    await R2.put("blob", new Blob(["blob"]));
    await R2.put("stream", new Response("stream").body);
    await R2.put("empty", "");
    await R2.put("null", null);
    const out = [];
    for (const key of ["text", "blob", "stream", "empty", "null"])
      out.push(await text(R2, key));
    for (const key of ["buffer", "view"])
      out.push([...new Uint8Array(await (await R2.get(key)).arrayBuffer())]);
    return out;
  },

  async keys({ R2 }) {
    const keys = ["a/b é", "?x=1&y#z", "%2F", "..", "/", "a//b/", "😀", "x".repeat(1024)];
    for (const key of keys) await R2.put(key, key.slice(0, 8));
    const read = [];
    for (const key of keys) read.push(await text(R2, key));
    return [read, (await R2.list()).objects.length];
  },

  async a_key_that_is_too_long({ R2 }) {
    const key = "é".repeat(513);
    return [
      (await attempt(() => R2.put(key, ""))).error.slice(-7),
      (await attempt(() => R2.get(key))).error.slice(-7),
      (await attempt(() => R2.head(key))).error.slice(-7),
      (await attempt(() => R2.delete(key))).error.slice(-7),
    ];
  },

  async what_put_head_and_get_tell({ R2 }) {
    const httpMetadata = {
      contentType: "text/plain",
      contentLanguage: "de",
      contentDisposition: "inline",
      contentEncoding: "identity",
      cacheControl: "max-age=1",
      cacheExpiry: new Date(1800000000000),
    };
    const customMetadata = { k: "v", umlaut: "ü😀", "": "" };
    const put = await R2.put("k", HELLO, { httpMetadata, customMetadata });
    const get = await R2.get("k");
    await get.text();
    const headers = new Headers();
    get.writeHttpMetadata(headers);
    const same = put.version === get.version && +put.uploaded === +get.uploaded;
    return [show(put), show(await R2.head("k")), show(get), [...headers], same];
  },

  async http_metadata_from_headers({ R2 }) {
    const headers = new Headers({ "content-type": "a/b", "cache-control": "no-store" });
    await R2.put("k", "", { httpMetadata: headers });
    return (await R2.head("k")).httpMetadata;
  },

  async storage_class({ R2 }) {
    const put = await R2.put("k", "", { storageClass: "InfrequentAccess" });
    return [put.storageClass, (await R2.head("k")).storageClass];
  },

  async what_is_not_there({ R2 }) {
    await R2.delete("absent");
    return [await R2.head("absent"), await R2.get("absent"), await R2.list()];
  },

  async another_put_is_another_version({ R2 }) {
    const one = await R2.put("k", "one", { customMetadata: { a: "1" } });
    const two = await R2.put("k", "two");
    const head = await R2.head("k");
    return [one.version !== two.version, two.version === head.version, head.customMetadata];
  },

  async custom_metadata_that_is_too_large({ R2 }) {
    const put = (size) => () =>
      R2.put("k", "", { customMetadata: { k: "x".repeat(size) } });
    await put(8191)();
    const wide = { customMetadata: { k: "😀".repeat(2048) } };
    return [
      (await attempt(put(8192))).error,
      (await attempt(() => R2.put("k", "", wide))).error,
      (await attempt(() => R2.createMultipartUpload("k", wide))).error,
    ];
  },

  async checksums({ R2 }) {
    const out = {};
    for (const [name, sum] of Object.entries(SUMS)) {
      await R2.put("k", HELLO, { [name]: sum });
      out[name] = (await R2.head("k")).checksums.toJSON();
    }
    return out;
  },

  async checksums_that_are_wrong({ R2 }) {
    await R2.put("k", "old");
    const out = {};
    for (const [name, sum] of Object.entries(SUMS)) {
      const put = () => R2.put("k", HELLO, { [name]: sum.replace(/../, "00") });
      out[name] = (await attempt(put)).error;
    }
    return [out, await text(R2, "k")];
  },

  async ranges({ R2 }) {
    await R2.put("k", "0123456789");
    const out = {};
    for (const range of [
      {},
      { offset: 3 },
      { offset: 3, length: 4 },
      { length: 4 },
      { offset: 8, length: 100 },
      { offset: 9 },
      { suffix: 3 },
      { suffix: 100 },
    ]) {
      const found = await R2.get("k", { range });
      out[JSON.stringify(range)] = [await found.text(), found.range, found.size];
    }
    return out;
  },

  async ranges_that_are_outside({ R2 }) {
    await R2.put("k", "0123456789");
    await R2.put("empty", "");
    const out = {};
    for (const range of [
      { offset: 10 },
      { offset: 11, length: 1 },
      { offset: 0, length: 0 },
      { suffix: 0 },
    ])
      out[JSON.stringify(range)] = await attempt(() => text(R2, "k", { range }));
    out.empty = await attempt(() => text(R2, "empty", { range: { suffix: 1 } }));
    return out;
  },

  async range_headers({ R2 }) {
    await R2.put("k", "0123456789");
    const out = {};
    for (const range of [
      "bytes=0-1",
      "bytes=5-",
      "bytes=-3",
      "bytes=-100",
      "bytes=8-100",
      "bytes = 2 - 3",
      "bytes=10-",
      "bytes=3-2",
      "bytes=0-1,3-4",
      "lines=1-2",
      "bytes=-0",
      "nonsense",
    ])
      out[range] = await attempt(() => text(R2, "k", { range: new Headers({ range }) }));
    return out;
  },

  async a_range_of_a_large_object({ R2 }) {
    const value = new Uint8Array(3 * MIB).map((_, index) => index >> 12);
    await R2.put("k", value);
    const offset = 2 * MIB - 5;
    const found = await R2.get("k", { range: { offset, length: 10 } });
    const whole = new Uint8Array(await (await R2.get("k")).arrayBuffer());
    const same = whole.length === value.length && whole.every((b, i) => b === value[i]);
    return [[...new Uint8Array(await found.arrayBuffer())], same];
  },

  async reads_on_condition({ R2 }) {
    const { etag, uploaded } = await R2.put("k", "value");
    const later = new Date(+uploaded + 1000);
    const sooner = new Date(+uploaded - 1000);
    const conditions = {
      matches: { etagMatches: etag },
      matches_not: { etagMatches: "other" },
      differs: { etagDoesNotMatch: "other" },
      differs_not: { etagDoesNotMatch: etag },
      before: { uploadedBefore: later },
      before_not: { uploadedBefore: sooner },
      after: { uploadedAfter: sooner },
      after_not: { uploadedAfter: later },
      at_once: { uploadedAfter: uploaded },
      match_wins_over_before: { etagMatches: etag, uploadedBefore: sooner },
      differs_wins_over_after: { etagDoesNotMatch: "other", uploadedAfter: later },
      both: { etagMatches: etag, etagDoesNotMatch: "other" },
      header_match: new Headers({ "if-match": `"x", "${etag}"` }),
      header_weak_match: new Headers({ "if-match": `W/"${etag}"` }),
      header_any: new Headers({ "if-match": "*" }),
      header_none: new Headers({ "if-none-match": "*" }),
      header_weak_none: new Headers({ "if-none-match": `W/"${etag}"` }),
      header_since: new Headers({ "if-modified-since": later.toUTCString() }),
      header_unmodified: new Headers({ "if-unmodified-since": later.toUTCString() }),
    };
    const out = {};
    for (const [name, onlyIf] of Object.entries(conditions))
      out[name] = await attempt(() => text(R2, "k", { onlyIf }));
    const failed = await R2.get("k", { onlyIf: { etagMatches: "other" } });
    return [out, show(failed), await R2.get("absent", { onlyIf: { etagMatches: "x" } })];
  },

  async writes_on_condition({ R2 }) {
    const { etag } = await R2.put("k", "value");
    const put = async (key, onlyIf) => {
      const made = await R2.put(key, "new", { onlyIf });
      return [made && made.key, await text(R2, key)];
    };
    return {
      other: await put("k", { etagMatches: "other" }),
      none: await put("k", new Headers({ "if-none-match": "*" })),
      same: await put("k", { etagMatches: etag }),
      absent_match: await put("absent", { etagMatches: etag }),
      absent_after: await put("absent", { uploadedAfter: new Date(0) }),
      absent_none: await put("absent", new Headers({ "if-none-match": "*" })),
    };
  },

  async delete_several({ R2 }) {
    for (const key of ["a", "b", "c", "d"]) await R2.put(key, "x".repeat(100_000));
    await R2.delete(["a", "c", "absent", "a"]);
    await R2.delete("d");
    await R2.delete([]);
    return page(await R2.list());
  },

  async delete_too_many({ R2 }) {
    await R2.put("k0", "");
    const keys = Array.from({ length: 1001 }, (_, index) => `k${index}`);
    const answer = await attempt(() => R2.delete(keys));
    return ["error" in answer, page(await R2.list())];
  },

  async lists({ R2 }) {
    for (const key of ["b", "a", "é", "Z", "a/1", "a/2", "a/b/3", "😀", "\uFF5E"])
      await R2.put(key, "");
    const first = await R2.list({ limit: 4 });
    return {
      all: page(await R2.list()),
      prefix: page(await R2.list({ prefix: "a/" })),
      none: page(await R2.list({ prefix: "nothing" })),
      first: page(first),
      rest: page(await R2.list({ cursor: first.cursor })),
      after: page(await R2.list({ startAfter: "a/1" })),
      inside: page(await R2.list({ startAfter: "a/", prefix: "a/" })),
    };
  },

  async lists_with_a_delimiter({ R2 }) {
    for (const key of ["a/1", "a/2", "b", "c/d/1", "c/e", "c/x/1", "d"])
      await R2.put(key, "");
    const pages = [];
    let cursor;
    do {
      const list = await R2.list({ delimiter: "/", limit: 2, cursor });
      pages.push(page(list));
      cursor = list.truncated ? list.cursor : undefined;
    } while (cursor);
    return {
      pages,
      all: page(await R2.list({ delimiter: "/" })),
      below: page(await R2.list({ delimiter: "/", prefix: "c/" })),
      half: page(await R2.list({ delimiter: "/", prefix: "c" })),
      long: page(await R2.list({ delimiter: "/d/" })),
      empty: page(await R2.list({ delimiter: "", limit: 1 })),
      after: page(await R2.list({ delimiter: "/", startAfter: "a/1" })),
    };
  },

  async what_a_list_includes({ R2 }) {
    await R2.put("k", "", {
      httpMetadata: { contentType: "a/b" },
      customMetadata: { a: "1" },
    });
    const one = async (include) => {
      const [found] = (await R2.list({ include })).objects;
      return [found.httpMetadata ?? null, found.customMetadata ?? null];
    };
    return [
      await one(undefined),
      await one([]),
      await one(["httpMetadata"]),
      await one(["customMetadata"]),
      await one(["httpMetadata", "customMetadata"]),
    ];
  },

  async list_limits({ R2 }) {
    return [
      await attempt(async () => page(await R2.list({ limit: 0 }))),
      await attempt(async () => page(await R2.list({ limit: 1001 }))),
      await attempt(async () => page(await R2.list({ limit: 1000 }))),
    ];
  },

  async uploads_in_parts({ R2 }) {
    const sizes = [5 * MIB, 5 * MIB, 10];
    const { upload, made } = await parts(R2, "big", sizes, {
      httpMetadata: { contentType: "a/b" },
      customMetadata: { a: "1" },
    });
    const before = await R2.head("big");
    const done = await upload.complete(made);
    const range = { offset: 10 * MIB - 2, length: 4 };
    const cut = await R2.get("big", { range });
    const bytes = new Uint8Array(await (await R2.get("big")).arrayBuffer());
    return [
      before,
      show(done),
      [...new Uint8Array(await cut.arrayBuffer())],
      [bytes.length, bytes[0], bytes[5 * MIB], bytes.at(-1)],
      made.map((part) => part.partNumber),
    ];
  },

  async parts_that_are_replaced_and_left_out({ R2 }) {
    const upload = await R2.createMultipartUpload("k");
    const resumed = R2.resumeMultipartUpload("k", upload.uploadId);
    await resumed.uploadPart(1, "first");
    const again = await resumed.uploadPart(1, "again");
    await resumed.uploadPart(3, "left out");
    await upload.complete([again]);
    return [await text(R2, "k"), (await R2.head("k")).etag.endsWith("-1")];
  },

  async uploads_that_break_the_rules({ R2 }) {
    const small = await parts(R2, "k", [10, 10]);
    const uneven = await parts(R2, "k", [6 * MIB, 5 * MIB, 1]);
    const growing = await parts(R2, "k", [5 * MIB, 5 * MIB + 1]);
    const other = await parts(R2, "k", [10]);
    const named = (part) => [{ ...part, etag: "0".repeat(32) }];
    const complete = (one, made) =>
      attempt(async () => show(await one.upload.complete(made ?? one.made)));
    const answers = [
      await complete(small),
      await complete(uneven),
      await complete(growing),
      await complete(other, named(other.made[0])),
      await complete(other, [{ partNumber: 2, etag: other.made[0].etag }]),
      await attempt(() => R2.resumeMultipartUpload("j", other.upload.uploadId)
        .uploadPart(1, "x")),
      await attempt(() => R2.resumeMultipartUpload("k", "none").uploadPart(1, "x")),
    ];
    return [answers.map((answer) => answer.error), await R2.head("k")];
  },

  async uploads_that_are_over({ R2 }) {
    const aborted = await parts(R2, "k", [10]);
    await aborted.upload.abort();
    const done = await parts(R2, "k", [10]);
    await done.upload.complete(done.made);
    return [
      await attempt(() => aborted.upload.uploadPart(2, "x")),
      await attempt(() => aborted.upload.complete(aborted.made)),
      await attempt(() => aborted.upload.abort()),
      await attempt(() => done.upload.complete(done.made)),
      await attempt(() => done.upload.uploadPart(2, "x")),
      await attempt(() => done.upload.abort()),
      (await R2.head("k")).size,
    ];
  },

  async a_put_over_an_upload({ R2 }) {
    const { upload, made } = await parts(R2, "k", [5 * MIB, 5]);
    await upload.complete(made);
    await R2.put("k", "small");
    const small = await text(R2, "k");
    await R2.delete("k");
    return [small, await R2.head("k")];
  },
};

async function emptied(R2) {
  for (let list; !list || list.truncated; ) {
    list = await R2.list();
    await R2.delete(list.objects.map((found) => found.key));
  }
}

export default {
  async fetch(request, env) {
    const name = decodeURIComponent(new URL(request.url).pathname.slice(1));
    if (!name) return Response.json(Object.keys(cases));
    await emptied(env.R2);
    return Response.json(await cases[name](env));
  },
};
