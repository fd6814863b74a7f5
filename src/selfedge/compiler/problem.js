// Answers every request with why the Worker does not run.
export default {
  fetch(request, env) {
    const accept = request.headers.get("accept") ?? "";
    const form = accept.includes("text/html")
      ? "html"
      : accept.includes("json")
        ? "json"
        : "text";
    const [body, contentType] = env.answers[form];
    return new Response(body, { status: 500, headers: { "content-type": contentType } });
  },
};
