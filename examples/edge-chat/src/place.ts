// Routing by country.
import type { Ctx } from "./env";

/** `request.cf` says where the client is, as far as that is known. */
export const where = (c: Ctx) => {
  const cf = c.req.raw.cf as IncomingRequestCfProperties | undefined;
  const branch = branchOf(cf);
  return c.json({
    country: cf?.country ?? null,
    colo: cf?.colo ?? null,
    ip: c.req.header("cf-connecting-ip") ?? null,
    ray: c.req.header("cf-ray") ?? null,
    branch,
    // A real Worker would fetch from a server of that region here.
    greeting: GREETINGS[branch],
  });
};

const GREETINGS = {
  eu: "Hello from the European branch",
  us: "Howdy from the American branch",
  world: "Greetings from the branch for everywhere else",
};

function branchOf(cf: IncomingRequestCfProperties | undefined): keyof typeof GREETINGS {
  if (cf?.isEUCountry === "1") return "eu";
  if (cf?.country === "US") return "us";
  return "world";
}
