// Supabase's own client, unmodified, hears of changes over its channels.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { createClient, RealtimeClient } from "@supabase/supabase-js";
import ws from "ws";

const url = process.env.SERVER_URL;
const anonKey = process.env.ANON_KEY;
const patience = 100_000;
const clients = [];

function client(realtime = {}) {
  const made = createClient(url, anonKey, { auth: { autoRefreshToken: false, persistSession: false }, realtime: { transport: ws, ...realtime } });
  clients.push(made);
  return made;
}

after(() => Promise.all(clients.map((each) => each.removeAllChannels())));

const guests = JSON.parse(process.env.GUESTS);

async function signedIn(realtime) {
  const supabase = client(realtime);
  const { user_id, ...session } = guests.pop();
  assert.equal((await supabase.auth.setSession(session)).error, null);
  return [supabase, user_id];
}

async function generate(supabase, prompt) {
  const body = { model_id: process.env.MODEL_ID, prompt };
  const { data, error } = await supabase.functions.invoke("generate-video", { body, headers: { "Idempotency-Key": crypto.randomUUID() } });
  assert.equal(error, null);
  return data.job_id;
}

/** Waits until something holds; whoever changes it calls `said`. */
function until(holds) {
  let found;
  const promise = new Promise((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error("it did not happen in time")), patience);
    found = () => {
      if (holds()) {
        clearTimeout(limit);
        resolve();
      }
    };
  });
  return [promise, () => found()];
}

function listen(channel, statuses, events) {
  let check = () => {};
  channel.on("system", {}, () => check());
  const said = () => check();
  return {
    said,
    subscribe: () => channel.subscribe((status, error) => { statuses.push(status); if (error) events.errors.push(error.message); check(); }),
    until: (holds) => { const [promise, next] = until(holds); check = next; next(); return promise; },
  };
}

async function watched(supabase, name, bindings) {
  const seen = { changes: [], errors: [], statuses: [] };
  const channel = supabase.channel(name);
  const ears = listen(channel, seen.statuses, seen);
  for (const binding of bindings) {
    channel.on("postgres_changes", binding, (payload) => { seen.changes.push(payload); ears.said(); });
  }
  ears.subscribe();
  await ears.until(() => seen.statuses.includes("SUBSCRIBED") || seen.errors.length > 0);
  return { channel, seen, until: ears.until };
}

for (const vsn of ["1.0.0", "2.0.0"]) {
  test(`version ${vsn}: a channel sees its own job from SUBSCRIBED on, and never another's`, async () => {
    const [ada, me] = await signedIn({ vsn });
    const [eve] = await signedIn({ vsn });
    const mine = await watched(ada, "mine", [{ event: "*", schema: "public", table: "video_jobs" }, { event: "UPDATE", schema: "public", table: "users", filter: `id=eq.${me}` }]);
    const theirs = await watched(eve, "theirs", [{ event: "*", schema: "public", table: "*" }]);
    assert.deepEqual([mine.seen.statuses, theirs.seen.statuses], [["SUBSCRIBED"], ["SUBSCRIBED"]]);
    const job = await generate(ada, "Watched by the SDK");
    await mine.until(() => mine.seen.changes.some((each) => each.new.status === "completed"));
    const jobs = mine.seen.changes.filter((each) => each.table === "video_jobs");
    assert.equal(jobs[0].eventType, "INSERT");
    assert.ok(jobs.every((each) => each.new.job_id === job && each.new.user_id === me && each.new.model_name.length > 0));
    assert.match(jobs.at(-1).new.video_url, /\/storage\/v1\/object\/sign\/videos\//);
    assert.equal((await fetch(jobs.at(-1).new.video_url)).status, 200);
    await mine.until(() => mine.seen.changes.some((each) => each.table === "users" && each.new.credits_remaining < 500));
    const other = await generate(eve, "Hers");
    await theirs.until(() => theirs.seen.changes.some((each) => each.new.job_id === other));
    assert.ok(theirs.seen.changes.every((each) => each.table === "users" ? each.new.id !== me : each.new.job_id === other));
    assert.equal(await ada.removeChannel(mine.channel), "ok");
  });
}

test("SUBSCRIBED means that the very next change arrives, each time", async () => {
  const [ada] = await signedIn();
  for (let time = 0; time < 4; time++) {
    const { channel, seen, until: wait } = await watched(ada, `round-${time}`, [{ event: "INSERT", schema: "public", table: "video_jobs" }]);
    const job = await generate(ada, `Round ${time}`);
    await wait(() => seen.changes.length > 0);
    assert.equal(seen.changes[0].new.job_id, job);
    await ada.removeChannel(channel);
  }
});

test("a filter on one job, and a list of columns", async () => {
  const [ada] = await signedIn();
  await generate(ada, "Not asked for");
  const job = await generate(ada, "Asked for");
  const { seen, until: wait } = await watched(ada, `video-job-${job}`, [
    { event: "UPDATE", schema: "public", table: "video_jobs", filter: `job_id=eq.${job}`, select: ["job_id", "status"] },
  ]);
  assert.deepEqual(seen.statuses, ["SUBSCRIBED"]);
  const { data } = await ada.from("video_jobs").select("status").eq("job_id", job).single();
  if (data.status !== "completed") {
    await wait(() => seen.changes.some((each) => each.new.status === "completed"));
  }
  assert.ok(seen.changes.every((each) => each.new.job_id === job && Object.keys(each.new).length === 2));
});

test("what is not offered is an error of the channel, with its reason", async () => {
  const [ada] = await signedIn();
  const { seen, channel } = await watched(ada, "others", [{ event: "*", schema: "public", table: "quota_log" }]);
  assert.equal(seen.statuses[0], "CHANNEL_ERROR");
  assert.match(seen.errors[0], /not offered/);
  await ada.removeChannel(channel);
});

test("a client without a session is subscribed and sees nothing of anybody; signing in opens its channel", async () => {
  const nobody = client();
  const { seen, until: wait } = await watched(nobody, "nobody", [{ event: "*", schema: "public", table: "video_jobs" }]);
  assert.deepEqual(seen.statuses, ["SUBSCRIBED"]);
  const [ada] = await signedIn();
  const ears = await watched(ada, "listener", [{ event: "*", schema: "public", table: "video_jobs" }]);
  await generate(ada, "Seen by its owner");
  await ears.until(() => ears.seen.changes.some((each) => each.new.status === "completed"));
  assert.deepEqual(seen.changes, []);
  const { data } = await ada.auth.getSession();
  await nobody.auth.setSession({ access_token: data.session.access_token, refresh_token: data.session.refresh_token });
  // The client hands its token over without an answer to wait for.
  let job;
  do {
    job = await generate(ada, "Seen by both");
    await new Promise((resolve) => setTimeout(resolve, 500));
  } while (seen.changes.length === 0);
  await wait(() => seen.changes.some((each) => each.new.job_id === job));
});

test("signing out everywhere closes the channels of other devices", async () => {
  const [ada] = await signedIn();
  const { data } = await ada.auth.getSession();
  const phone = client();
  await phone.auth.setSession({ access_token: data.session.access_token, refresh_token: data.session.refresh_token });
  const { seen, until: wait } = await watched(phone, "phone", [{ event: "*", schema: "public", table: "video_jobs" }]);
  assert.deepEqual(seen.statuses, ["SUBSCRIBED"]);
  assert.equal((await ada.auth.signOut({ scope: "global" })).error, null);
  await wait(() => seen.statuses.includes("CLOSED"));
});

test("broadcast and presence are accepted in a join, and sending them is answered as an error", async () => {
  const [ada] = await signedIn();
  const channel = ada.channel("room", { config: { broadcast: { ack: true } } });
  await new Promise((resolve) => channel.subscribe((status) => status === "SUBSCRIBED" && resolve()));
  assert.equal(await channel.send({ type: "broadcast", event: "m", payload: { text: "hello" } }), "error");
  assert.equal(await channel.track({ online: true }), "error");
  assert.equal(await ada.removeChannel(channel), "ok");
});

test("the realtime client alone, with a token that it is given", async () => {
  const [ada] = await signedIn();
  const { data } = await ada.auth.getSession();
  const realtime = new RealtimeClient(`${url.replace("http", "ws")}/realtime/v1`, { params: { apikey: anonKey }, transport: ws });
  await realtime.setAuth(data.session.access_token);
  const seen = [];
  let ring = () => {};
  const channel = realtime.channel("alone").on("postgres_changes", { event: "INSERT", schema: "public", table: "video_jobs" }, (payload) => { seen.push(payload); ring(); });
  await new Promise((resolve, reject) => channel.subscribe((status, error) => (status === "SUBSCRIBED" ? resolve() : reject(error ?? new Error(status)))));
  const arrived = new Promise((resolve) => { ring = resolve; });
  const job = await generate(ada, "Heard by the realtime client");
  await arrived;
  assert.equal(seen[0].new.job_id, job);
  await realtime.removeAllChannels();
});
