export default {
  async fetch(request: Request, { ASSETS }: { ASSETS: Fetcher }): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/bound") return ASSETS.fetch(new URL("/file.txt", request.url));
    return new Response("code");
  },
};
