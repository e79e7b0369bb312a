// The client against a running server, over HTTP; a proxy between them loses responses and breaks streams.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createServer, request as forward } from 'node:http';
import { after, test } from 'node:test';
import { MemorySessionStore, Reelbase, ReelbaseError, operations } from '../dist/index.js';

const server = new URL(process.env.SERVER_URL);
const proxies = [];
after(() => proxies.forEach((proxy) => (proxy.closeAllConnections(), proxy.close())));

/** `meddle(path, accept)` says what becomes of a response: undefined, 'lose' (it is read and the connection dropped) or 'cut' (dropped before its first event). */
async function proxyOf(meddle = () => undefined) {
  const seen = [];
  const proxy = createServer((incoming, outgoing) => {
    const what = meddle(incoming.url, incoming.headers.accept ?? '');
    seen.push({ method: incoming.method, url: incoming.url, headers: incoming.headers });
    const upstream = forward({ host: server.hostname, port: server.port, path: incoming.url, method: incoming.method, headers: incoming.headers }, (answer) => {
      if (what === 'lose') return void answer.resume().on('end', () => outgoing.destroy());
      outgoing.writeHead(answer.statusCode, answer.headers);
      if (what !== 'cut') return void answer.pipe(outgoing);
      outgoing.write(': here\n\n', () => (outgoing.destroy(), upstream.destroy()));
    });
    upstream.on('error', () => outgoing.destroy());
    incoming.pipe(upstream);
  });
  await new Promise((ready) => proxy.listen(0, '127.0.0.1', ready));
  proxies.push(proxy);
  return { url: `http://127.0.0.1:${proxy.address().port}`, seen };
}

async function guest(url = process.env.SERVER_URL, more = {}) {
  const sessionStore = new MemorySessionStore();
  const reelbase = new Reelbase({ url, sessionStore, retryBaseMs: 20, ...more });
  const device = randomUUID();
  const answer = await reelbase.checkDevice({ device_id: device, device_token: btoa(`device:${device}`) });
  return { reelbase, sessionStore, answer };
}

const sample = (prompt) => ({ model_id: process.env.MODEL_ID, prompt });

test('a guest is onboarded, generates and sees the video live', async () => {
  const { seen, url } = await proxyOf();
  const { reelbase, answer } = await guest(url);
  assert.equal(answer.is_new, true);
  const { data } = await operations.getModels({ client: reelbase.api, throwOnError: true });
  assert.ok(data.models.length > 0);
  const job = await reelbase.generateVideo(sample('A paper boat on a quiet lake'));
  let last;
  for await (const status of reelbase.watchJob(job.job_id)) last = status;
  assert.equal(last.status, 'completed');
  assert.equal((await fetch(last.video_url)).status, 200);
  assert.ok(seen.some((request) => request.headers.accept === 'text/event-stream'));
});

test('a generation whose response is lost is charged once, with one key', async () => {
  let lost = 0;
  const { url, seen } = await proxyOf((path) => (path === '/generate-video' && lost++ < 2 ? 'lose' : undefined));
  const { reelbase } = await guest(url);
  const before = (await operations.getUserCredits({ client: reelbase.api, throwOnError: true })).data.credits_remaining;
  const job = await reelbase.generateVideo(sample('A kite above the sea'));
  const sent = seen.filter((request) => request.url === '/generate-video');
  assert.equal(sent.length, 3);
  assert.equal(new Set(sent.map((request) => request.headers['idempotency-key'])).size, 1);
  const now = (await operations.getUserCredits({ client: reelbase.api, throwOnError: true })).data.credits_remaining;
  assert.equal(before - now, job.credits_used);
});

test('a stream that breaks goes on by polling', async () => {
  const { url, seen } = await proxyOf((path, accept) => (accept === 'text/event-stream' ? 'cut' : undefined));
  const { reelbase } = await guest(url);
  const job = await reelbase.generateVideo(sample('[slow 2] A slow train'));
  let last;
  for await (const status of reelbase.watchJob(job.job_id, { pollMs: 100 })) last = status;
  assert.equal(last.status, 'completed');
  const watched = seen.filter((request) => request.url.startsWith('/get-video-status'));
  assert.equal(watched.filter((request) => request.headers.accept === 'text/event-stream').length, 1);
  assert.ok(watched.some((request) => request.headers.accept !== 'text/event-stream'));
});

test('twenty requests with an old token make one refresh', async () => {
  const { url, seen } = await proxyOf();
  const { reelbase, sessionStore, answer } = await guest(url);
  sessionStore.save({ ...sessionStore.load(), expiresAt: 0 });
  await Promise.all(Array.from({ length: 20 }, () => operations.getUserCredits({ client: reelbase.api, throwOnError: true })));
  assert.equal(seen.filter((request) => request.url.startsWith('/auth/v1/token')).length, 1);
  assert.notEqual(sessionStore.load().refreshToken, answer.refresh_token);
});

test('a token that the server refuses is refreshed once for all, and a dead refresh token ends the session', async () => {
  const { url, seen } = await proxyOf();
  const { reelbase, sessionStore } = await guest(url);
  sessionStore.save({ ...sessionStore.load(), accessToken: 'no.such.token' });
  await Promise.all(Array.from({ length: 20 }, () => operations.getUserCredits({ client: reelbase.api, throwOnError: true })));
  assert.equal(seen.filter((request) => request.url.startsWith('/auth/v1/token')).length, 1);
  sessionStore.save({ ...sessionStore.load(), refreshToken: 'nobodysToken12', expiresAt: 0 });
  await assert.rejects(operations.getUserCredits({ client: reelbase.api, throwOnError: true }), { name: 'ReelbaseError', code: 'refresh_token_not_found' });
  assert.equal(sessionStore.load(), null);
});

test('a refresh whose response is lost is repeated', async () => {
  let lost = 0;
  const { url } = await proxyOf((path) => (path.startsWith('/auth/v1/token') && lost++ === 0 ? 'lose' : undefined));
  const { reelbase, sessionStore } = await guest(url);
  sessionStore.save({ ...sessionStore.load(), expiresAt: 0 });
  await operations.getUserCredits({ client: reelbase.api, throwOnError: true });
  assert.equal(lost, 2);
});

test('errors are typed and in Turkish', async () => {
  const { reelbase } = await guest(undefined, { language: 'tr' });
  const error = await reelbase.generateVideo({ model_id: randomUUID(), prompt: 'A paper boat' }).catch((thrown) => thrown);
  assert.ok(error instanceof ReelbaseError);
  assert.equal(error.code, 'ERR_4002');
  assert.equal(error.status, 404);
  assert.equal(error.message, process.env.TURKISH);
  assert.ok(error.requestId.length > 0);
});

test('busy answers are retried with Retry-After, and a long one is an error at once', async () => {
  let calls = 0;
  let wait = '0';
  const busy = createServer((incoming, outgoing) => {
    incoming.resume();
    if (++calls < 3) outgoing.writeHead(429, { 'Retry-After': wait, 'Content-Type': 'application/json' }).end('{"error":{"code":"ERR_4004","message":"busy","details":{},"trace_id":"t"}}');
    else outgoing.writeHead(200, { 'Content-Type': 'application/json' }).end('{"job_id":"j","status":"pending","credits_used":1}');
  });
  await new Promise((ready) => busy.listen(0, '127.0.0.1', ready));
  proxies.push(busy);
  const reelbase = new Reelbase({ url: `http://127.0.0.1:${busy.address().port}` });
  assert.equal((await reelbase.generateVideo(sample('x'))).job_id, 'j');
  assert.equal(calls, 3);
  [calls, wait] = [0, '3600'];
  await assert.rejects(reelbase.generateVideo(sample('x')), { code: 'ERR_4004', retryAfter: 3600 });
  assert.equal(calls, 1);
});

test('requests can be aborted and time out', async () => {
  const silent = createServer(() => {});
  await new Promise((ready) => silent.listen(0, '127.0.0.1', ready));
  proxies.push(silent);
  const url = `http://127.0.0.1:${silent.address().port}`;
  await assert.rejects(new Reelbase({ url, timeoutMs: 50, maxAttempts: 1 }).generateVideo(sample('x')), { code: 'timeout', status: 0 });
  const abort = new AbortController();
  const pending = new Reelbase({ url }).generateVideo(sample('x'), { signal: abort.signal });
  abort.abort();
  await assert.rejects(pending, { name: 'AbortError' });
});

test('a picture is uploaded with progress and used', async () => {
  const { reelbase, answer } = await guest();
  const picture = new Blob([Buffer.from(process.env.JPEG, 'base64')], { type: 'image/jpeg' });
  const progress = [];
  const key = await reelbase.uploadPicture('cat.jpg', picture, { contentType: 'image/jpeg', onProgress: (sent, total) => progress.push([sent, total]) });
  assert.equal(key, `uploads/${answer.user_id}/cat.jpg`);
  assert.deepEqual(progress, [
    [0, picture.size],
    [picture.size, picture.size],
  ]);
  await assert.rejects(reelbase.uploadPicture('cat.jpg', picture, { contentType: 'image/jpeg' }), { status: 409 });
});
