// What a Worker's exports handle, as the API tells it.
const EVENTS = ["fetch", "scheduled", "queue", "email", "tail", "tailStream", "trace"];

/** Export → the events that it handles; of a named class, that it is one. */
export function handlers(exports) {
  return Object.fromEntries(
    Object.entries(exports).map(([name, value]) => [name, handled(name, value)]),
  );
}

function handled(name, value) {
  const isClass = typeof value === "function";
  if (isClass && name !== "default") return ["class"];
  const handling = (isClass ? value.prototype : value) ?? {};
  return EVENTS.filter((event) => typeof handling[event] === "function");
}
