// What a team without Reelbase would write: an endpoint that makes six calls to the database, one after the other. No token is
// checked (the bearer is the user's id), no row is read for a ban, a session, an age or a consent: it is a generous peer.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createHash, randomUUID } from "node:crypto";
import type { AddressInfo } from "node:net";
import postgres from "postgres";

const address = process.env["PEER_DATABASE"];
if (!address) {
  throw new Error("PEER_DATABASE is missing");
}
const sql = postgres(address, { max: Number(process.env["PEER_CONNECTIONS"] ?? "10"), onnotice: () => undefined });

interface Press {
  model_id: string;
  prompt: string;
  settings: Record<string, string | number>;
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) });
  response.end(text);
}

function read(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    request.setEncoding("utf8");
    request.on("data", (part: string) => (text += part));
    request.on("end", () => resolve(text));
    request.on("error", reject);
  });
}

async function generate(request: IncomingMessage, response: ServerResponse, user: string): Promise<void> {
  const key = String(request.headers["idempotency-key"]);
  const text = await read(request);
  const press = JSON.parse(text) as Press;
  const hash = createHash("sha256").update(text).digest();

  const [stored] = await sql`select request_hash, response, status_code from peer.idempotency_log where user_id = ${user} and key = ${key}`;
  if (stored) {
    answer(response, hash.equals(stored["request_hash"] as Buffer) ? Number(stored["status_code"]) : 422, stored["response"]);
    return;
  }
  const [model] = await sql`select id, cost, provider_model_id from peer.models where id = ${press.model_id} and is_available`;
  if (!model) {
    answer(response, 404, { error: "no such model" });
    return;
  }
  const [paid] = await sql`select peer.deduct_credits(${user}, ${model["cost"] as number}) as result`;
  if (!(paid?.["result"] as { success: boolean }).success) {
    answer(response, 402, paid?.["result"]);
    return;
  }
  const job = randomUUID();
  await sql`insert into peer.video_jobs (job_id, user_id, model_id, prompt, settings, status, credits_used)
    values (${job}, ${user}, ${model["id"] as string}, ${press.prompt}, ${sql.json(press.settings)}, 'pending', ${model["cost"] as number})`;
  // Here the provider would be called; its answer is taken as given.
  await sql`update peer.video_jobs set status = 'processing', provider_job_id = ${randomUUID()} where job_id = ${job}`;
  const body = { job_id: job, status: "pending", credits_used: model["cost"] as number };
  await sql`insert into peer.idempotency_log (user_id, key, request_hash, response, status_code)
    values (${user}, ${key}, ${hash}, ${sql.json(body)}, 200)`;
  answer(response, 200, body);
}

async function status(url: URL, response: ServerResponse, user: string): Promise<void> {
  const [job] = await sql`select job_id, status, prompt, credits_used, created_at from peer.video_jobs
    where job_id = ${url.searchParams.get("job_id")} and user_id = ${user}`;
  answer(response, job ? 200 : 404, job ?? { error: "no such job" });
}

const server = createServer((request, response) => {
  const url = new URL(request.url ?? "/", "http://localhost");
  const user = String(request.headers.authorization ?? "").slice("Bearer ".length);
  const done = request.method === "POST" ? generate(request, response, user) : status(url, response, user);
  done.catch((error: unknown) => answer(response, 500, { error: String(error) }));
});
server.keepAliveTimeout = 60_000;
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
// It ends with its input, so that it outlives nobody.
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
