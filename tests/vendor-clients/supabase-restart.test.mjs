// Supabase's own client, unmodified, while the server is restarted behind it: nobody is signed out.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "@supabase/supabase-js";
import ws from "ws";

const url = process.env.SERVER_URL;
const control = process.env.SIMULATORS_URL;

function memory() {
  const kept = new Map();
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value), removeItem: (key) => void kept.delete(key) };
}

const client = (storage) => createClient(url, process.env.ANON_KEY, { auth: { autoRefreshToken: false, persistSession: true, storage }, realtime: { transport: ws } });

async function good(promise) {
  const { data, error } = await promise;
  assert.equal(error, null, error && `${error.name} ${error.status} ${error.code} ${error.message}`);
  return data;
}

async function restart() {
  assert.equal((await fetch(`${control}/_test/restart`, { method: "POST" })).status, 200);
}

test("a session goes on after a restart, with its tokens of before", async () => {
  const storage = memory();
  const supabase = client(storage);
  const { session: before } = await good(supabase.auth.signInAnonymously());
  await good(supabase.auth.getClaims());
  await restart();
  assert.equal((await good(supabase.auth.getUser())).user.id, before.user.id);
  assert.equal((await good(supabase.auth.getClaims())).claims.sub, before.user.id);
  assert.deepEqual((await good(supabase.from("users").select("id"))), [{ id: before.user.id }]);
  const { session: after } = await good(supabase.auth.refreshSession());
  assert.notEqual(after.refresh_token, before.refresh_token);
  // The app is started anew too: what it kept is enough.
  const again = client(storage);
  assert.equal((await good(again.auth.getSession())).session.refresh_token, after.refresh_token);
  await restart();
  assert.equal((await good(again.auth.refreshSession())).session.user.id, before.user.id);
});

test("a refresh whose response was lost in a restart may be repeated, and a token of long ago may not", async () => {
  const supabase = client(memory());
  const { session: first } = await good(supabase.auth.signInAnonymously());
  const { session: second } = await good(supabase.auth.refreshSession());
  await restart();
  const { session: repeated } = await good(client(memory()).auth.refreshSession({ refresh_token: first.refresh_token }));
  assert.equal(repeated.refresh_token, second.refresh_token);
});

test("who refreshes while the server is away is not signed out", async () => {
  const storages = Array.from({ length: 10 }, memory);
  const clients = storages.map(client);
  const users = await Promise.all(clients.map(async (supabase) => (await good(supabase.auth.signInAnonymously())).user.id));
  const ended = [];
  clients.forEach((supabase) => supabase.auth.onAuthStateChange((event) => event === "SIGNED_OUT" && ended.push(event)));
  let isOver = false;
  const restarted = restart().finally(() => (isOver = true));
  // Each goes on until the restart is over: some meet a closed port, some a starting server.
  await Promise.all(
    clients.map(async (supabase) => {
      do {
        const { error } = await supabase.auth.refreshSession();
        assert.ok(error === null || error.name === "AuthRetryableFetchError", `${error?.name} ${error?.status} ${error?.message}`);
      } while (!isOver);
    }),
  );
  await restarted;
  assert.deepEqual(ended, []);
  for (const [index, supabase] of clients.entries()) assert.equal((await good(supabase.auth.refreshSession())).session.user.id, users[index]);
});
