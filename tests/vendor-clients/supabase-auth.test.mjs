// Supabase's own client, unmodified, signs guests in, refreshes, links Apple and signs out.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "@supabase/supabase-js";
import ws from "ws";

const url = process.env.SERVER_URL;
const anonKey = process.env.ANON_KEY;
const simulators = process.env.SIMULATORS_URL;
const bundle = process.env.BUNDLE_ID;
const reuseSeconds = Number(process.env.REUSE_SECONDS);

const client = (key = anonKey, more = {}) =>
  createClient(url, key, { auth: { autoRefreshToken: false, persistSession: false }, realtime: { transport: ws }, ...more });

async function good(promise) {
  const { data, error } = await promise;
  assert.equal(error, null, error && `${error.name} ${error.status} ${error.code} ${error.message}`);
  return data;
}

async function refused(promise, status, code) {
  const { error } = await promise;
  assert.ok(error, `expected ${code}`);
  assert.deepEqual([error.status, error.code], [status, code], error.message);
  return error;
}

async function appleToken(sub, more = {}) {
  const answer = await fetch(`${simulators}/_control/apple-id/tokens`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ sub, aud: bundle, ...more }),
  });
  assert.equal(answer.status, 200);
  return (await answer.json()).id_token;
}

const refresh = (token) => good(client().auth.refreshSession({ refresh_token: token })).then((data) => data.session);
const subject = () => `001.${crypto.randomUUID()}`;
const wait = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

test("signInAnonymously opens a guest's session and the session is whole", async () => {
  const supabase = client();
  const events = [];
  supabase.auth.onAuthStateChange((event) => events.push(event));
  const { session, user } = await good(supabase.auth.signInAnonymously({ options: { data: { nickname: "Ada" } } }));
  assert.equal(session.token_type, "bearer");
  assert.equal(session.expires_in, 3600);
  assert.ok(Math.abs(session.expires_at - Date.now() / 1000 - 3600) < 60);
  assert.ok(session.refresh_token.length >= 12);
  assert.equal(user.is_anonymous, true);
  assert.equal(user.role, "authenticated");
  assert.deepEqual(user.user_metadata, { nickname: "Ada" });
  assert.deepEqual(user.identities, []);
  assert.match(user.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.equal((await good(supabase.auth.getSession())).session.access_token, session.access_token);
  assert.equal((await good(supabase.auth.getUser())).user.id, user.id);
  assert.ok(events.includes("SIGNED_IN"), events.join());
});

test("getClaims verifies with the published key", async () => {
  const supabase = client();
  const { user } = await good(supabase.auth.signInAnonymously());
  const { claims, header } = await good(supabase.auth.getClaims());
  assert.equal(header.alg, "ES256");
  assert.ok(header.kid);
  assert.equal(claims.sub, user.id);
  assert.equal(claims.iss, `${url}/auth/v1`);
  assert.deepEqual([claims.aud, claims.role, claims.aal, claims.is_anonymous, claims.phone], ["authenticated", "authenticated", "aal1", true, ""]);
  assert.equal(claims.amr[0].method, "anonymous");
  const key = await (await fetch(`${url}/auth/v1/.well-known/jwks.json`)).json();
  assert.ok(key.keys.every((each) => !("d" in each)));
});

test("updateUser merges and removes, and getUser reads it", async () => {
  const supabase = client();
  await good(supabase.auth.signInAnonymously({ options: { data: { a: 1, b: { c: [1, "ü"] } } } }));
  const { user } = await good(supabase.auth.updateUser({ data: { a: null, d: "new" } }));
  assert.deepEqual(user.user_metadata, { b: { c: [1, "ü"] }, d: "new" });
  assert.deepEqual((await good(supabase.auth.getUser())).user.user_metadata, user.user_metadata);
  const { session } = await good(supabase.auth.refreshSession());
  assert.deepEqual(session.user.user_metadata, user.user_metadata);
  assert.deepEqual((await good(supabase.auth.getClaims())).claims.user_metadata, user.user_metadata);
  await refused(supabase.auth.updateUser({ data: { big: "x".repeat(3000) } }), 400, "validation_failed");
  await refused(supabase.auth.updateUser({ password: "a-password-123" }), 422, "email_provider_disabled");
});

test("setSession, refreshSession and the old token after a lost answer", async () => {
  const supabase = client();
  const { session: first } = await good(supabase.auth.signInAnonymously());
  const { session: second } = await good(supabase.auth.refreshSession());
  assert.notEqual(second.refresh_token, first.refresh_token);
  assert.equal((await refresh(first.refresh_token)).refresh_token, second.refresh_token);
  const other = client();
  const { session: same } = await good(other.auth.setSession({ access_token: second.access_token, refresh_token: second.refresh_token }));
  assert.equal(same.user.id, first.user.id);
  assert.equal((await good(other.auth.getUser())).user.id, first.user.id);
});

test("two clients and twenty refresh one token at once and all keep the session", async () => {
  const { session } = await good(client().auth.signInAnonymously());
  const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(session.refresh_token)));
  assert.equal(new Set(answers.map((answer) => answer.refresh_token)).size, 1);
  const ids = answers.map((answer) => JSON.parse(atob(answer.access_token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"))).session_id);
  assert.equal(new Set(ids).size, 1);
  await refresh(answers[0].refresh_token);
});

test("a stolen token ends the session, for thief and owner", async () => {
  const { session } = await good(client().auth.signInAnonymously());
  const thief = await refresh(session.refresh_token);
  const further = await refresh(thief.refresh_token);
  await wait(reuseSeconds + 0.3);
  await refused(client().auth.refreshSession({ refresh_token: session.refresh_token }), 400, "refresh_token_already_used");
  const { error } = await client().auth.refreshSession({ refresh_token: further.refresh_token });
  assert.equal(error.status, 400);
  const { error: gone } = await client().auth.getUser(further.access_token);
  assert.equal(gone.name, "AuthSessionMissingError");
});

test("tokens of nobody are refused as the SDK knows it", async () => {
  await refused(client().auth.refreshSession({ refresh_token: "abcdefghijkl" }), 400, "refresh_token_not_found");
  await refused(client().auth.refreshSession({ refresh_token: "short" }), 400, "validation_failed");
  await refused(client().auth.getUser("a.b.c"), 403, "bad_jwt");
  await refused(client().auth.getUser(anonKey), 403, "bad_jwt");
});

test("signInWithIdToken makes the member and finds them again; a nonce is compared", async () => {
  const sub = subject();
  const first = await good(client().auth.signInWithIdToken({ provider: "apple", token: await appleToken(sub, { email: "ada@example.com" }) }));
  assert.equal(first.user.is_anonymous, false);
  assert.equal(first.user.email, "ada@example.com");
  assert.deepEqual(first.user.app_metadata, { provider: "apple", providers: ["apple"] });
  const [identity] = first.user.identities;
  assert.deepEqual([identity.id, identity.provider, identity.user_id, identity.identity_data.sub], [sub, "apple", first.user.id, sub]);
  const nonce = "made-up-by-the-app";
  const hash = Buffer.from(await crypto.subtle.digest("SHA-256", Buffer.from(nonce))).toString("hex");
  const again = await good(client().auth.signInWithIdToken({ provider: "apple", token: await appleToken(sub, { nonce: hash }), nonce }));
  assert.equal(again.user.id, first.user.id);
  for (const bad of [{ token: await appleToken(sub, { nonce: hash }) }, { token: await appleToken(sub), nonce }, { token: "garbage" }]) {
    const { error } = await client().auth.signInWithIdToken({ provider: "apple", ...bad });
    assert.equal(error.status, 400);
  }
  const { error } = await client().auth.signInWithIdToken({ provider: "google", token: await appleToken(sub) });
  assert.equal(error.status, 422);
});

test("linkIdentity keeps the guest's id, and an account that has a user is refused", async () => {
  const supabase = client();
  const { user } = await good(supabase.auth.signInAnonymously());
  const sub = subject();
  const linked = await good(supabase.auth.linkIdentity({ provider: "apple", token: await appleToken(sub, { email: "linked@example.com" }) }));
  assert.equal(linked.user.id, user.id);
  assert.equal(linked.user.is_anonymous, false);
  assert.equal((await good(supabase.auth.getUserIdentities())).identities[0].id, sub);
  const second = client();
  await good(second.auth.signInAnonymously());
  await refused(second.auth.linkIdentity({ provider: "apple", token: await appleToken(sub, { email: "second@example.com" }) }), 422, "identity_already_exists");
  // Without linking a guest who is signed in is not converted.
  const third = client();
  const { user: guest } = await good(third.auth.signInAnonymously());
  const member = await good(third.auth.signInWithIdToken({ provider: "apple", token: await appleToken(sub, { email: "third@example.com" }) }));
  assert.notEqual(member.user.id, guest.id);
  assert.equal(member.user.id, user.id);
});

test("signOut by scope", async () => {
  const sub = subject();
  const devices = [];
  for (let index = 0; index < 3; index++) {
    const supabase = client();
    await good(supabase.auth.signInWithIdToken({ provider: "apple", token: await appleToken(sub, { email: `device${index}@example.com` }) }));
    devices.push([supabase, (await supabase.auth.getSession()).data.session]);
  }
  const alive = async ([, session]) => (await client().auth.getUser(session.access_token)).error === null;
  await good(devices[0][0].auth.signOut({ scope: "local" }).then((answer) => ({ data: true, ...answer })));
  assert.deepEqual(await Promise.all(devices.map(alive)), [false, true, true]);
  await good(devices[1][0].auth.signOut({ scope: "others" }).then((answer) => ({ data: true, ...answer })));
  assert.deepEqual(await Promise.all(devices.map(alive)), [false, true, false]);
  await good(devices[1][0].auth.signOut().then((answer) => ({ data: true, ...answer })));
  assert.deepEqual(await Promise.all(devices.map(alive)), [false, false, false]);
  assert.equal((await devices[1][0].auth.getSession()).data.session, null);
});

test("what is not offered says so by its code", async () => {
  await refused(client().auth.signUp({ email: "a@example.com", password: "a-password-123" }), 422, "email_provider_disabled");
  await refused(client().auth.signUp({ phone: "+15550100", password: "a-password-123" }), 422, "phone_provider_disabled");
  await refused(client().auth.signInWithPassword({ email: "a@example.com", password: "a-password-123" }), 422, "email_provider_disabled");
});

test("a bad key is the gateway's refusal, and old clients get the old shape", async () => {
  const { error } = await client("not-a-key").auth.signInAnonymously();
  assert.deepEqual([error.status, error.message], [401, "Invalid API key"]);
  const ask = (headers) => fetch(`${url}/auth/v1/token?grant_type=refresh_token`, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: `{"refresh_token":"abcdefghijkl"}` });
  const old = await ask({});
  assert.deepEqual((({ code, error_code }) => [code, error_code])(await old.json()), [400, "refresh_token_not_found"]);
  assert.equal(old.headers.get("x-supabase-api-version"), null);
  const current = await ask({ "x-supabase-api-version": "2024-01-01" });
  assert.deepEqual([current.headers.get("x-supabase-api-version"), current.headers.get("x-sb-error-code"), (await current.json()).code], ["2024-01-01", "refresh_token_not_found", "refresh_token_not_found"]);
  const unknown = await fetch(`${url}/auth/v1/no-such-thing`, { headers: { "x-supabase-api-version": "2024-01-01" } });
  assert.deepEqual([unknown.status, typeof (await unknown.json()).code], [404, "string"]);
});

test("health and settings", async () => {
  const health = await (await fetch(`${url}/auth/v1/health`, { headers: { apikey: anonKey } })).json();
  assert.equal(health.name, "GoTrue");
  const settings = await (await fetch(`${url}/auth/v1/settings`, { headers: { apikey: anonKey } })).json();
  assert.deepEqual([settings.external.anonymous_users, settings.external.apple, settings.external.email, settings.disable_signup], [true, true, false, false]);
});
