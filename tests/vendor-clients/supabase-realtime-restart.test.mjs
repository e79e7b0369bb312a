// The server is restarted under an open channel: the client comes back by itself and hears on.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "@supabase/supabase-js";
import ws from "ws";

const supabase = createClient(process.env.SERVER_URL, process.env.ANON_KEY, { auth: { autoRefreshToken: false, persistSession: false }, realtime: { transport: ws } });

test("a channel outlives the server", async () => {
  await supabase.auth.setSession({ access_token: process.env.ACCESS_TOKEN, refresh_token: process.env.REFRESH_TOKEN });
  const statuses = [];
  const changes = [];
  let ring = () => {};
  const wait = async (holds) => { while (!holds()) await new Promise((resolve) => { ring = resolve; }); };
  supabase
    .channel("mine")
    .on("postgres_changes", { event: "INSERT", schema: "public", table: "video_jobs" }, (payload) => { changes.push(payload); ring(); })
    .subscribe((status) => { statuses.push(status); ring(); });
  await wait(() => statuses.length > 1 && statuses.at(-1) === "SUBSCRIBED");
  assert.equal(statuses[0], "SUBSCRIBED");
  assert.ok(statuses.includes("CHANNEL_ERROR"));
  const body = { model_id: process.env.MODEL_ID, prompt: "After the restart" };
  const { data, error } = await supabase.functions.invoke("generate-video", { body, headers: { "Idempotency-Key": crypto.randomUUID() } });
  assert.equal(error, null);
  await wait(() => changes.length > 0);
  assert.equal(changes[0].new.job_id, data.job_id);
  await supabase.removeAllChannels();
});
