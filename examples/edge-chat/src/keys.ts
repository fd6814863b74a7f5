// Keys for KV, which lists them in the order of their bytes.

/** Return a new key; time runs backwards in it, so that the newest is listed first. */
export function newestFirst(): string {
  const left = String(Number.MAX_SAFE_INTEGER - Date.now());
  return `${left}-${crypto.randomUUID()}`;
}
