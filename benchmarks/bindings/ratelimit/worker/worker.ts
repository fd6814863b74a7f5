const KEYS = 1000;
const AT_ONCE = 20;

export default {
  async fetch(request: Request, { WIDE, NARROW }: any): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/full") {
      await NARROW.limit({ key: "full" });
      return answer(true);
    }
    if (pathname === "/many") {
      const all = await Promise.all(Array.from({ length: AT_ONCE }, () => check(WIDE)));
      return answer(all.every((one) => one.success));
    }
    if (pathname === "/one") return answer((await check(WIDE)).success);
    return answer(true);
  },
};

function check(limiter: any): Promise<{ success: boolean }> {
  return limiter.limit({ key: `key ${Math.floor(Math.random() * KEYS)}` });
}

function answer(right: boolean): Response {
  return new Response(right ? "right" : "wrong", { status: right ? 200 : 500 });
}
