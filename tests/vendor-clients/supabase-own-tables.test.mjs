// Supabase's own client, unmodified, on a table of the operator's: everything that changes rows.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "@supabase/supabase-js";
import ws from "ws";

const url = process.env.SERVER_URL;
const anonKey = process.env.ANON_KEY;
const client = (key = anonKey) => createClient(url, key, { auth: { autoRefreshToken: false, persistSession: false }, realtime: { transport: ws } });

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

async function guest() {
  const supabase = client();
  const { error, data } = await supabase.auth.signInAnonymously();
  assert.equal(error, null);
  return [supabase, data.user.id];
}

test("insert: nothing back, one row, many rows, columns with defaults", async () => {
  const [ada, me] = await guest();
  assert.deepEqual(await good(ada.from("notes").insert({ slug: "a", title: "A" })), { data: null, count: null, status: 201 });
  const { data: one } = await good(ada.from("notes").insert({ slug: "b", title: "B", tags: ["x", "y"] }).select().single());
  assert.deepEqual([one.user_id, one.slug, one.tags, one.stars], [me, "b", ["x", "y"], 0]);
  const { data: many, count } = await good(ada.from("notes").insert([{ slug: "c", title: "C" }, { slug: "d", title: "D", stars: 4 }], { count: "exact", defaultToNull: false }).select("slug, stars"));
  assert.deepEqual([many, count], [[{ slug: "c", stars: 0 }, { slug: "d", stars: 4 }], 2]);
  await refused(ada.from("notes").insert({ slug: "a", title: "again" }), 409, "23505");
  await refused(ada.from("notes").insert({ slug: "e" }), 400, "23502");
  await refused(ada.from("notes").insert({ slug: "e", title: "E", stars: 9 }), 400, "23514");
  await refused(ada.from("notes").insert({ slug: "e", title: "E", nothing: 1 }), 400, "PGRST204");
  await refused(ada.from("notes").insert([{ slug: "e", title: "E" }, { slug: "a", title: "A" }]), 409, "23505");
  assert.equal((await good(ada.from("notes").select("*", { count: "exact", head: true }))).count, 4);
});

test("upsert: by the key, by other columns, and passing over what is there", async () => {
  const [ada] = await guest();
  const { data: first } = await good(ada.from("notes").insert({ slug: "a", title: "A" }).select().single());
  const { data: same } = await good(ada.from("notes").upsert({ slug: "a", title: "A2" }, { onConflict: "user_id,slug" }).select().single());
  assert.deepEqual([same.id, same.title], [first.id, "A2"]);
  const { data: kept } = await good(ada.from("notes").upsert([{ slug: "a", title: "A3" }, { slug: "b", title: "B" }], { onConflict: "user_id,slug", ignoreDuplicates: true }).select("slug"));
  assert.deepEqual(kept, [{ slug: "b" }]);
  assert.equal((await good(ada.from("notes").select("title").eq("slug", "a").single())).data.title, "A2");
});

test("update and delete: with filters, with the rows back, with counts", async () => {
  const [ada] = await guest();
  await good(ada.from("notes").insert(["a", "b", "c", "d"].map((slug, stars) => ({ slug, title: slug, stars }))));
  const { data, count } = await good(ada.from("notes").update({ title: "many" }, { count: "exact" }).gte("stars", 2).select("slug"));
  assert.deepEqual([data.map((row) => row.slug).sort(), count], [["c", "d"], 2]);
  assert.deepEqual(await good(ada.from("notes").update({ title: "none" }).eq("slug", "z")), { data: null, count: null, status: 204 });
  const { data: tagged } = await good(ada.from("notes").update({ tags: ["x"] }).or("slug.eq.a,slug.eq.b").select("slug, tags").order("slug"));
  assert.deepEqual(tagged, [{ slug: "a", tags: ["x"] }, { slug: "b", tags: ["x"] }]);
  assert.equal((await good(ada.from("notes").select("slug").contains("tags", ["x"]))).data.length, 2);
  assert.equal((await good(ada.from("notes").select("slug").overlaps("tags", ["x", "y"]))).data.length, 2);
  const { data: gone } = await good(ada.from("notes").delete().in("slug", ["a", "c"]).select("slug").order("slug"));
  assert.deepEqual(gone, [{ slug: "a" }, { slug: "c" }]);
  await refused(ada.from("notes").delete(), 400, "21000");
  assert.equal((await good(ada.from("notes").delete({ count: "exact" }).neq("slug", ""))).count, 2);
});

test("another's rows are neither seen nor touched, and nobody writes under another's name", async () => {
  const [[ada, adasId], [ben]] = [await guest(), await guest()];
  const { data: hers } = await good(ada.from("notes").insert({ slug: "hers", title: "Hers" }).select().single());
  assert.deepEqual((await good(ben.from("notes").select().eq("id", hers.id))).data, []);
  assert.deepEqual((await good(ben.from("notes").update({ title: "his" }).eq("id", hers.id).select())).data, []);
  assert.deepEqual((await good(ben.from("notes").delete().eq("id", hers.id).select())).data, []);
  await refused(ben.from("notes").insert({ user_id: adasId, slug: "forged", title: "x" }), 403, "42501");
  await refused(client().from("notes").select(), 401, "42501");
  assert.equal((await good(ada.from("notes").select("title").eq("id", hers.id).single())).data.title, "Hers");
});

test("the service key reads what is granted to its role, and nothing of ours besides", async () => {
  const service = client(process.env.SERVICE_KEY);
  await refused(service.from("notes").select(), 403, "42501");
  await refused(service.from("sessions").select(), 403, "42501");
  const { data, error } = await service.auth.admin.listUsers();
  assert.deepEqual([data.users, error.status], [[], 404]);
});

test("paging, order, CSV, one or none, and an aborted query", async () => {
  const [ada] = await guest();
  await good(ada.from("notes").insert(Array.from({ length: 25 }, (_, index) => ({ slug: `n${String(index).padStart(2, "0")}`, title: "t", stars: index % 5 }))));
  const { data, count } = await good(ada.from("notes").select("slug, stars", { count: "exact" }).order("stars", { ascending: false }).order("slug").range(5, 9));
  assert.deepEqual([data.map((row) => row.slug), count], [["n03", "n08", "n13", "n18", "n23"], 25]);
  assert.equal((await ada.from("notes").select("slug").range(20, 29)).data.length, 5);
  await refused(ada.from("notes").select("slug", { count: "exact" }).range(100, 109), 416, "PGRST103");
  assert.equal((await good(ada.from("notes").select("slug").order("slug").csv())).data.split("\n").length, 26);
  assert.equal((await good(ada.from("notes").select("slug").eq("slug", "n01").maybeSingle())).data.slug, "n01");
  const { error } = await ada.from("notes").select().abortSignal(AbortSignal.abort());
  assert.match(error.message, /abort/i);
});
