// Supabase's own client, unmodified, calls the functions.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient, FunctionsHttpError, FunctionsRelayError } from "@supabase/supabase-js";
import ws from "ws";

const url = process.env.SERVER_URL;
const anonKey = process.env.ANON_KEY;
const client = (base = url, key = anonKey) =>
  createClient(base, key, { auth: { autoRefreshToken: false, persistSession: false }, realtime: { transport: ws } });

async function good(promise) {
  const { data, error } = await promise;
  assert.equal(error, null, error && `${error.name}: ${error.message} ${await error.context?.text?.()}`);
  return data;
}

async function onboarded(base = url) {
  const supabase = client(base);
  const device = crypto.randomUUID();
  const body = { device_id: device, device_token: btoa(`device:${device}`) };
  const answer = await good(supabase.functions.invoke("device-check", { body }));
  assert.equal(answer.credits_remaining, 10);
  await good(supabase.auth.setSession({ access_token: answer.access_token, refresh_token: answer.refresh_token }));
  return supabase;
}

const get = { method: "GET" };

test("a whole generation through invoke", async () => {
  const supabase = await onboarded();
  const { models } = await good(supabase.functions.invoke("get-models", get));
  const model = models.find((each) => each.cost_per_generation <= 10 && !each.required_fields.requires_image) ?? models[0];
  const body = { model_id: process.env.MODEL_ID, prompt: "Through the SDK" };
  assert.ok(model);
  const headers = { "Idempotency-Key": crypto.randomUUID() };
  const accepted = await good(supabase.functions.invoke("generate-video", { body, headers }));
  const replay = await good(supabase.functions.invoke("generate-video", { body, headers }));
  assert.equal(replay.job_id, accepted.job_id);
  let status;
  do {
    status = await good(supabase.functions.invoke(`get-video-status?job_id=${accepted.job_id}`, get));
  } while (!["completed", "failed"].includes(status.status));
  assert.equal(status.status, "completed");
  const { jobs } = await good(supabase.functions.invoke("get-video-jobs?limit=20&offset=0", get));
  assert.equal(jobs[0].job_id, accepted.job_id);
  const credits = await good(supabase.functions.invoke("get-user-credits", get));
  assert.equal(credits.credits_remaining, 10 - accepted.credits_used);
  assert.deepEqual(await good(supabase.functions.invoke("delete-video-job", { body: { job_id: accepted.job_id } })), { success: true });
});

test("a string body is JSON too, and a region changes nothing", async () => {
  const supabase = await onboarded();
  const answer = await good(supabase.functions.invoke("update-user-settings", { body: JSON.stringify({ language: "tr" }), region: "eu-west-1" }));
  assert.equal(answer.user.language, "tr");
  const bytes = new Blob([JSON.stringify({ language: "es" })]);
  assert.equal((await good(supabase.functions.invoke("update-user-settings", { body: bytes }))).user.language, "es");
});

test("a base URL that ends in a slash, and paths that are put behind one", async () => {
  await onboarded(`${url}/`);
  const answer = await fetch(`${url}//functions/v1/get-models`, { headers: { apikey: anonKey, Authorization: `Bearer ${anonKey}` } });
  assert.equal(answer.status, 200);
  const health = await fetch(`${url}//auth/v1/health`);
  assert.equal(health.status, 200);
  assert.equal((await fetch(`${url}//get-models`)).status, 404);
});

test("an unknown function and a token that is none are the relay's errors", async () => {
  for (const [name, options] of [["no-such-function", {}], ["no-such-function", get], ["get-user-credits", { ...get, headers: { Authorization: "Bearer garbage" } }]]) {
    const { error } = await client().functions.invoke(name, options);
    assert.ok(error instanceof FunctionsRelayError, `${name}: ${error?.name}`);
  }
});

test("a function's own refusal is an HTTP error with its body", async () => {
  const nobody = await client().functions.invoke("get-user-credits", get);
  assert.ok(nobody.error instanceof FunctionsHttpError);
  assert.equal(nobody.error.context.status, 401);
  assert.equal((await nobody.error.context.json()).error.code, "ERR_4005");
  const supabase = client();
  await good(supabase.auth.signInAnonymously());
  assert.equal((await good(supabase.functions.invoke("get-user-credits", get))).credits_remaining, 0);
  const poor = await supabase.functions.invoke("generate-video", { body: { model_id: process.env.MODEL_ID, prompt: "No credits" }, headers: { "Idempotency-Key": crypto.randomUUID() } });
  assert.ok(poor.error instanceof FunctionsHttpError);
  assert.equal(poor.error.context.status, 402);
});
