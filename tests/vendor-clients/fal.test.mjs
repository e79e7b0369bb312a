// fal's own client against the pretend fal. Every request is sent to the simulator; one to any other host is an error.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError, ValidationError, createFalClient } from "@fal-ai/client";

const simulators = process.env.SIMULATORS_URL;
const seen = [];
const client = (credentials = "sim:key") =>
  createFalClient({
    credentials,
    requestMiddleware: async (request) => {
      const url = new URL(request.url);
      assert.equal(url.host, "queue.fal.run", `nothing may go to ${url.host}`);
      seen.push(`${request.method} ${url.pathname}`);
      return { ...request, url: `${simulators}/fal${url.pathname}${url.search}` };
    },
  });
const fal = client();
const model = "fal-ai/veo3.1/fast";
const input = (prompt, more = {}) => ({ prompt, duration: "8s", generate_audio: false, ...more });
const fails = (promise, status) =>
  assert.rejects(promise, (error) => {
    assert.ok(error instanceof ApiError, String(error));
    assert.equal(error.status, status);
    return true;
  });

async function submitted(prompt, more) {
  return (await fal.queue.submit(model, { input: input(prompt, more) })).request_id;
}

async function finished(requestId) {
  await fal.queue.subscribeToStatus(model, { requestId, pollInterval: 50 });
}

test("submit, status and result", async () => {
  const { request_id: requestId, status, status_url: statusUrl } = await fal.queue.submit(model, { input: input("A kite [steps]") });
  assert.equal(status, "IN_QUEUE");
  assert.match(statusUrl, /\/fal-ai\/veo3\.1\/requests\/[^/]+\/status$/);
  const first = await fal.queue.status(model, { requestId, logs: true });
  assert.equal(first.status, "IN_QUEUE");
  assert.equal(typeof first.queue_position, "number");
  await finished(requestId);
  const result = await fal.queue.result(model, { requestId });
  assert.equal(result.requestId, requestId);
  assert.equal(result.data.video.content_type, "video/mp4");
  const video = await fetch(result.data.video.url);
  assert.equal(Buffer.from(await video.arrayBuffer()).subarray(4, 8).toString(), "ftyp");
});

test("subscribe sees every state on its way", async () => {
  const states = new Set();
  const result = await fal.subscribe(model, {
    input: input("A harbour [steps]"),
    pollInterval: 50,
    onQueueUpdate: (update) => states.add(update.status),
  });
  assert.deepEqual([...states], ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]);
  assert.ok(result.data.video.url);
});

test("status, result and cancel go to owner and alias only", () => {
  assert.ok(seen.some((call) => /^POST \/fal-ai\/veo3\.1\/fast$/.test(call)));
  assert.ok(seen.some((call) => /^GET \/fal-ai\/veo3\.1\/requests\/[^/]+\/status$/.test(call)));
  assert.ok(!seen.some((call) => /veo3\.1\/fast\/requests/.test(call)));
});

test("every family that is seeded", async () => {
  const families = {
    "fal-ai/veo3.1": input("x"),
    "fal-ai/veo3.1/lite": input("x"),
    "fal-ai/veo3.1/fast/image-to-video": input("x", { image_url: "https://pictures.example/a.jpg" }),
    "fal-ai/pika/v2.2/text-to-video": { prompt: "x", duration: "5", resolution: "720p" },
    "fal-ai/pika/v2.2/image-to-video": { prompt: "x", duration: "10", image_url: "https://pictures.example/a.jpg" },
    "fal-ai/kling-video/v3/standard/text-to-video": { prompt: "x", duration: "5", generate_audio: true },
    "fal-ai/kling-video/v3/standard/image-to-video": { prompt: "x", duration: "3", start_image_url: "https://pictures.example/a.jpg" },
    "fal-ai/sora-2/text-to-video": { prompt: "x", duration: "4" },
  };
  for (const [id, body] of Object.entries(families)) {
    const result = await fal.subscribe(id, { input: body, pollInterval: 50 });
    assert.ok(result.data.video.url, id);
  }
});

test("the status stream ends with the last state", async () => {
  const requestId = await submitted("A stream [steps]");
  const stream = await fal.queue.streamStatus(model, { requestId, logs: true });
  const states = [];
  for await (const event of stream) {
    states.push(event.status);
  }
  assert.equal((await stream.done()).status, "COMPLETED");
  assert.deepEqual(states, ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]);
});

test("a request in the queue is cancelled, a finished one and an unknown one are not", async () => {
  const requestId = await submitted("To be stopped [slow 600]");
  await fal.queue.cancel(model, { requestId });
  const status = await fal.queue.status(model, { requestId });
  assert.equal(status.status, "COMPLETED");
  assert.equal(status.error_type, "client_cancelled");
  const done = await submitted("Done [slow 0]");
  await finished(done);
  await fails(fal.queue.cancel(model, { requestId: done }), 400);
  await fails(fal.queue.cancel(model, { requestId: "00000000-0000-0000-0000-000000000000" }), 404);
});

test("errors come as the client's own kinds", async () => {
  const rejected = await submitted("[reject]");
  await finished(rejected);
  await assert.rejects(fal.queue.result(model, { requestId: rejected }), (error) => {
    assert.ok(error instanceof ValidationError);
    assert.equal(error.body.detail[0].type, "content_policy_violation");
    return true;
  });
  const wrong = await submitted("x", { duration: "5s" });
  await finished(wrong);
  await assert.rejects(fal.queue.result(model, { requestId: wrong }), (error) => {
    assert.ok(error instanceof ValidationError);
    assert.deepEqual(error.body.detail[0].loc, ["body", "duration"]);
    return true;
  });
  const failed = await submitted("[fail]");
  await finished(failed);
  await fails(fal.queue.result(model, { requestId: failed }), 500);
  const running = await submitted("[slow 600]");
  await fails(fal.queue.result(model, { requestId: running }), 400);
  await fails(fal.queue.status(model, { requestId: "00000000-0000-0000-0000-000000000000" }), 404);
  await fails(fal.queue.submit("fal-ai/nobody/knows", { input: { prompt: "x" } }), 404);
  await fails(client("").queue.submit(model, { input: input("x") }), 401);
});

test("a refusal that passes is tried again by the client itself", async () => {
  const before = seen.length;
  await submitted("[429] busy");
  assert.equal(seen.length - before, 3);
});
