// Supabase's own client, unmodified, reads and changes tables: each table with each operator that the page about REST names.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "@supabase/supabase-js";
import ws from "ws";

const url = process.env.SERVER_URL;
const anonKey = process.env.ANON_KEY;
const client = () => createClient(url, anonKey, { auth: { autoRefreshToken: false, persistSession: false }, realtime: { transport: ws } });

async function good(query) {
  const { data, error, count, status } = await query;
  assert.equal(error, null, error && `${error.code} ${error.message} ${error.details} ${error.hint}`);
  return { data, count, status };
}

async function refused(query, status, code) {
  const answer = await query;
  assert.ok(answer.error, `expected ${code}, got ${JSON.stringify(answer.data)}`);
  assert.deepEqual([answer.status, answer.error.code], [status, code], answer.error.message);
}

async function onboarded() {
  const supabase = client();
  const device = crypto.randomUUID();
  const { data, error } = await supabase.functions.invoke("device-check", { body: { device_id: device, device_token: btoa(`device:${device}`) } });
  assert.equal(error, null);
  await supabase.auth.setSession({ access_token: data.access_token, refresh_token: data.refresh_token });
  return [supabase, data.user_id];
}

// A column of each kind for each table: text, number, uuid, time, flag, JSON.
const tables = {
  models: { key: "id", text: "name", number: "cost_per_generation", time: "sunset_at", flag: "is_featured", json: "required_fields" },
  themes: { key: "id", text: "name", time: "created_at", flag: "is_featured", json: "default_settings" },
  products: { key: "product_id", text: "product_id", number: "credits", time: "created_at", flag: "is_active" },
  video_jobs: { key: "job_id", text: "prompt", number: "credits_used", time: "created_at", json: "settings" },
  users: { key: "id", text: "language", number: "credits_remaining", time: "created_at", flag: "is_guest" },
  quota_log: { key: "id", text: "reason", number: "change", time: "created_at" },
};

const [ada, me] = await onboarded();
{
  const body = { model_id: process.env.MODEL_ID, prompt: "A row for the tables" };
  const { error } = await ada.functions.invoke("generate-video", { body, headers: { "Idempotency-Key": crypto.randomUUID() } });
  assert.equal(error, null);
  // Rows are compared with each other: none may change meanwhile.
  const endsAt = Date.now() + 120_000;
  for (;;) {
    const { data } = await good(ada.from("video_jobs").select("status").single());
    if (data.status === "completed") {
      break;
    }
    assert.ok(data.status !== "failed" && Date.now() < endsAt, `the job is ${data.status}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

for (const [table, columns] of Object.entries(tables)) {
  test(`${table}: each operator`, async () => {
    const from = () => ada.from(table).select();
    const { data: all, count } = await good(ada.from(table).select("*", { count: "exact" }).order(columns.key));
    assert.ok(all.length > 0);
    assert.equal(count, all.length);
    const first = all[0];
    const keys = (rows) => rows.map((row) => row[columns.key]).sort();
    const same = async (query, fits) => assert.deepEqual(keys((await good(query)).data), keys(all.filter(fits)));
    await same(from().eq(columns.key, first[columns.key]), (row) => row === first);
    await same(from().neq(columns.key, first[columns.key]), (row) => row !== first);
    await same(from().in(columns.key, [first[columns.key], all.at(-1)[columns.key]]), (row) => row === first || row === all.at(-1));
    await same(from().not(columns.key, "in", `("${first[columns.key]}")`), (row) => row !== first);
    await same(from().like(columns.text, `${first[columns.text].slice(0, 2)}%`), (row) => row[columns.text].startsWith(first[columns.text].slice(0, 2)));
    await same(from().ilike(columns.text, `%${first[columns.text].slice(1, 3).toUpperCase()}%`), (row) => row[columns.text].toLowerCase().includes(first[columns.text].slice(1, 3).toLowerCase()));
    await same(from().likeAnyOf(columns.text, [first[columns.text], "nothing"]), (row) => row[columns.text] === first[columns.text]);
    await same(from().ilikeAllOf(columns.text, [first[columns.text].toUpperCase()]), (row) => row[columns.text].toLowerCase() === first[columns.text].toLowerCase());
    await same(from().filter(columns.text, "match", "^."), () => true);
    await same(from().filter(columns.text, "imatch", "^[^a-z]"), (row) => /^[^a-z]/i.test(row[columns.text]));
    await same(from().is(columns.time, null), (row) => row[columns.time] === null);
    await same(from().not(columns.time, "is", null), (row) => row[columns.time] !== null);
    await same(from().filter(columns.text, "isdistinct", first[columns.text]), (row) => row[columns.text] !== first[columns.text]);
    await same(from().textSearch(columns.text, "'nothing of the kind'", { config: "simple", type: "phrase" }), () => false);
    await same(from().or(`${columns.key}.eq."${first[columns.key]}",${columns.key}.is.null`), (row) => row === first);
    await same(from().match({ [columns.key]: first[columns.key] }), (row) => row === first);
    if (columns.number) {
      const middle = first[columns.number];
      await same(from().gt(columns.number, middle), (row) => row[columns.number] > middle);
      await same(from().gte(columns.number, middle), (row) => row[columns.number] >= middle);
      await same(from().lt(columns.number, middle), (row) => row[columns.number] < middle);
      await same(from().lte(columns.number, middle), (row) => row[columns.number] <= middle);
    }
    if (columns.flag) {
      await same(from().is(columns.flag, true), (row) => row[columns.flag]);
    }
    if (columns.json) {
      await same(from().contains(columns.json, first[columns.json]), (row) => Object.entries(first[columns.json]).every(([name, value]) => JSON.stringify(row[columns.json][name]) === JSON.stringify(value)));
      await same(from().containedBy(columns.json, {}), (row) => Object.keys(row[columns.json]).length === 0);
    }
    const page = await good(ada.from(table).select(columns.key, { count: "exact" }).order(columns.key).range(0, 0));
    assert.deepEqual([page.data.length, page.count], [1, all.length]);
    assert.equal((await good(ada.from(table).select("*", { count: "exact", head: true }))).count, all.length);
    assert.deepEqual((await good(from().eq(columns.key, first[columns.key]).single())).data, first);
    assert.equal((await good(from().is(columns.key, null).maybeSingle())).data, null);
    await refused(from().is(columns.key, null).single(), 406, "PGRST116");
    assert.ok((await good(ada.from(table).select(columns.key).limit(1).csv())).data.startsWith(columns.key));
    await refused(ada.from(table).select("no_such_column"), 400, "42703");
    await refused(ada.from(table).insert({ [columns.key]: first[columns.key] }), 403, "42501");
    await refused(ada.from(table).delete().eq(columns.key, first[columns.key]), 403, "42501");
  });
}

test("embedded resources, both ways and only where they match", async () => {
  const { data: jobs } = await good(ada.from("video_jobs").select("job_id, prompt, models(name), quota_log(change, reason)"));
  assert.equal(jobs.length, 1);
  assert.equal(typeof jobs[0].models.name, "string");
  assert.equal(jobs[0].quota_log[0].reason, "video_generation");
  const { data: counted } = await good(ada.from("models").select("name, video_jobs(count)").eq("name", jobs[0].models.name));
  assert.deepEqual(counted, [{ name: jobs[0].models.name, video_jobs: [{ count: 1 }] }]);
  const { data: inner } = await good(ada.from("video_jobs").select("job_id, models!inner(name)").eq("models.name", "nothing"));
  assert.deepEqual(inner, []);
  const { data: spread } = await good(ada.from("video_jobs").select("job_id, ...models(model:name)"));
  assert.equal(spread[0].model, jobs[0].models.name);
  await refused(ada.from("video_jobs").select("sessions(*)"), 400, "PGRST200");
});

test("settings are changed, and nothing else", async () => {
  const { data } = await good(ada.from("users").update({ language: "tr" }).eq("id", me).select("language").single());
  assert.deepEqual(data, { language: "tr" });
  await refused(ada.from("users").update({ credits_remaining: 1000 }).eq("id", me), 403, "42501");
  await refused(ada.from("users").update({ language: "klingon" }).eq("id", me), 400, "23514");
  await refused(ada.from("users").update({ language: "en" }), 400, "21000");
  await refused(ada.from("users").upsert({ id: me, language: "en" }), 403, "42501");
});

test("a stranger sees what is public, and nobody sees another's", async () => {
  assert.ok((await good(client().from("themes").select())).data.length > 0);
  await refused(client().from("video_jobs").select(), 401, "42501");
  const [ben] = await onboarded();
  assert.deepEqual((await good(ben.from("video_jobs").select())).data, []);
  assert.deepEqual((await good(ben.from("users").select().eq("id", me))).data, []);
  await refused(client().rpc("get_user_credits"), 404, "PGRST202");
  await refused(client().from("no_such_table").select(), 404, "PGRST205");
  await refused(client().schema("auth").from("users").select(), 406, "PGRST106");
});
