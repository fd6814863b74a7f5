const BODY = "Hello, World!";

export default {
  fetch(): Response {
    return new Response(BODY);
  },
};
