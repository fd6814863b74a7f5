// Which request goes where. What happens there is in the file beside.
import { Hono } from "hono";
import { audit, listAudit } from "./audit";
import { chat } from "./chat";
import { deleteConversation, listConversations, readConversation } from "./conversations";
import { digest } from "./digest";
import type { App } from "./env";
import { failed } from "./failed";
import { allowOrigin, authenticate } from "./guards";
import { limitRate } from "./limiter";
import { page } from "./page";
import { where } from "./place";
import { addDocuments, deleteDocument, search } from "./search";

export { RateLimiter } from "./limiter"; // the engine looks for it here

const app = new Hono<App>();

app.get("/", page);

app.use("/api/*", allowOrigin, authenticate, limitRate, audit);
app.post("/api/chat", chat);
app.get("/api/conversations", listConversations);
app.get("/api/conversations/:id", readConversation);
app.delete("/api/conversations/:id", deleteConversation);
app.post("/api/documents", addDocuments);
app.delete("/api/documents/:id", deleteDocument);
app.get("/api/search", search);
app.get("/api/digest", digest);
app.get("/api/where", where);
app.get("/api/audit", listAudit);

app.notFound((c) => c.json({ error: `There is no ${c.req.method} ${c.req.path}` }, 404));
app.onError(failed);

export default app;
