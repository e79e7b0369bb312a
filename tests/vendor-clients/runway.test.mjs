// Runway's own client against the pretend Runway.
import assert from "node:assert/strict";
import { test } from "node:test";
import RunwayML, {
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
  TaskFailedError,
} from "@runwayml/sdk";

const simulators = process.env.SIMULATORS_URL;
const client = (more = {}) => new RunwayML({ apiKey: "sim_key", baseURL: `${simulators}/runway`, maxRetries: 0, ...more });
const runway = client();
const text = (promptText, more = {}) => ({ model: "gen4.5", promptText, ratio: "1280:720", duration: 5, ...more });

async function finished(id) {
  for (;;) {
    const task = await runway.tasks.retrieve(id);
    if (!["PENDING", "THROTTLED", "RUNNING"].includes(task.status)) return task;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test("create, task and output", async () => {
  const created = await runway.textToVideo.create(text("A kite"));
  assert.match(created.id, /^[0-9a-f-]{36}$/);
  const task = await finished(created.id);
  assert.equal(task.status, "SUCCEEDED");
  assert.equal(task.id, created.id);
  assert.ok(!Number.isNaN(Date.parse(task.createdAt)));
  const video = await fetch(task.output[0]);
  assert.equal(Buffer.from(await video.arrayBuffer()).subarray(4, 8).toString(), "ftyp");
  const again = await runway.tasks.retrieve(created.id);
  assert.notEqual(again.output[0], task.output[0]);
});

test("a task passes through every state", async () => {
  const { id } = await runway.textToVideo.create(text("Slowly [steps]"));
  const states = new Set();
  for (let last = ""; last !== "SUCCEEDED"; ) {
    const task = await runway.tasks.retrieve(id);
    last = task.status;
    states.add(last);
    if (last === "RUNNING") assert.ok(task.progress >= 0 && task.progress <= 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.deepEqual([...states], ["PENDING", "THROTTLED", "RUNNING", "SUCCEEDED"]);
});

test("the client's own waiting", async () => {
  const { id } = await runway.textToVideo.create(text("Waited for [slow 0]"));
  const task = await runway.tasks.retrieve(id).waitForTaskOutput();
  assert.equal(task.status, "SUCCEEDED");
});

test("the client's own waiting for a failure", async () => {
  const { id } = await runway.textToVideo.create(text("[reject] [slow 0]"));
  await assert.rejects(runway.tasks.retrieve(id).waitForTaskOutput(), (error) => {
    assert.ok(error instanceof TaskFailedError);
    assert.equal(error.taskDetails.failureCode, "SAFETY.INPUT.TEXT");
    return true;
  });
});

test("every model that is seeded", async () => {
  const image = [{ uri: "https://pictures.example/a.jpg", position: "first" }];
  const created = [
    await runway.textToVideo.create(text("x")),
    await runway.imageToVideo.create({ model: "gen4_turbo", promptText: "x", promptImage: image, ratio: "960:960", duration: 2 }),
    await runway.textToVideo.create({ model: "veo3.1_fast", promptText: "x", ratio: "1920:1080", duration: 4, audio: false }),
    await runway.imageToVideo.create({ model: "gen4.5", promptText: "x", promptImage: image, ratio: "1584:672", duration: 10 }),
  ];
  for (const { id } of created) assert.equal((await finished(id)).status, "SUCCEEDED");
});

test("a running task is cancelled and then gone", async () => {
  const { id } = await runway.textToVideo.create(text("To be stopped [slow 600]"));
  await runway.tasks.delete(id);
  await assert.rejects(runway.tasks.retrieve(id), NotFoundError);
  await assert.rejects(runway.tasks.delete(id), NotFoundError);
});

test("the account", async () => {
  const organization = await runway.organization.retrieve();
  assert.equal(typeof organization.creditBalance, "number");
});

test("errors come as the client's own kinds", async () => {
  const kind = (promise, type, check = () => true) =>
    assert.rejects(promise, (error) => {
      assert.ok(error instanceof type, `${error.constructor.name}: ${error.message}`);
      return check(error);
    });
  await kind(runway.textToVideo.create(text("x", { ratio: "16:9" })), BadRequestError, (error) => {
    assert.deepEqual(error.error.issues[0].path, ["ratio"]);
    assert.ok(error.error.docUrl);
    return true;
  });
  await kind(runway.textToVideo.create(text("x", { model: "gen4_turbo" })), BadRequestError);
  await kind(runway.textToVideo.create(text("x", { duration: 11 })), BadRequestError);
  await kind(client({ apiKey: "" }).textToVideo.create(text("x")), AuthenticationError);
  await kind(client({ runwayVersion: "2020-01-01" }).textToVideo.create(text("x")), BadRequestError);
  await kind(runway.tasks.retrieve("00000000-0000-0000-0000-000000000000"), NotFoundError);
  await kind(runway.textToVideo.create(text("[429] once")), RateLimitError);
  await kind(runway.textToVideo.create(text("[500] once")), InternalServerError);
});

test("a refusal that passes is tried again by the client itself", async () => {
  const { id } = await client({ maxRetries: 2 }).textToVideo.create(text("[429 0] busy"));
  assert.equal((await finished(id)).status, "SUCCEEDED");
});
