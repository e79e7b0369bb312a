// Supabase's own client, unmodified, keeps a user's pictures.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "@supabase/supabase-js";
import * as tus from "tus-js-client";
import ws from "ws";

const url = process.env.SERVER_URL;
const anonKey = process.env.ANON_KEY;
const jpeg = Buffer.from(process.env.JPEG, "base64");
const png = Buffer.from(process.env.PNG, "base64");
const client = () => createClient(url, anonKey, { auth: { autoRefreshToken: false, persistSession: false }, realtime: { transport: ws } });

async function good(promise) {
  const { data, error } = await promise;
  assert.equal(error, null, error && `${error.name}: ${error.message}`);
  return data;
}

async function bad(promise, status, name) {
  const { data, error } = await promise;
  assert.equal(data, null);
  assert.equal(error.name, "StorageApiError");
  assert.equal(error.status, status, error.message);
  assert.equal(error.statusCode, String(status));
  if (name) assert.match(error.message, name);
}

async function guest() {
  const device = crypto.randomUUID();
  const answer = await fetch(`${url}/device-check`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ device_id: device, device_token: btoa(`device:${device}`) }),
  });
  const { user_id: id, access_token, refresh_token } = await answer.json();
  const supabase = client();
  await good(supabase.auth.setSession({ access_token, refresh_token }));
  return { id, supabase, uploads: supabase.storage.from("uploads") };
}

const bytesOf = async (blob) => Buffer.from(await blob.arrayBuffer());

test("upload of bytes, download, exists, info", async () => {
  const { id, uploads } = await guest();
  const up = await good(uploads.upload(`${id}/a.jpg`, jpeg, { contentType: "image/jpeg", cacheControl: "60" }));
  assert.equal(up.path, `${id}/a.jpg`);
  assert.equal(up.fullPath, `uploads/${id}/a.jpg`);
  assert.match(up.id, /^[0-9a-f-]{36}$/);
  const blob = await good(uploads.download(`${id}/a.jpg`));
  assert.equal(blob.type, "image/jpeg");
  assert.deepEqual(await bytesOf(blob), jpeg);
  assert.equal((await uploads.exists(`${id}/a.jpg`)).data, true);
  assert.equal((await uploads.exists(`${id}/b.jpg`)).data, false);
  const info = await good(uploads.info(`${id}/a.jpg`));
  assert.equal(info.contentType, "image/jpeg");
  assert.equal(info.size, jpeg.length);
  assert.equal(info.cacheControl, "max-age=60");
});

test("upload of a blob is a form without a name", async () => {
  const { id, uploads } = await guest();
  await good(uploads.upload(`${id}/blob.png`, new Blob([png], { type: "image/png" }), { metadata: { taken: "today" } }));
  const blob = await good(uploads.download(`${id}/blob.png`));
  assert.equal(blob.type, "image/png");
  assert.deepEqual(await bytesOf(blob), png);
});

test("upload without a content type, and of a stream", async () => {
  const { id, uploads } = await guest();
  await good(uploads.upload(`${id}/none`, jpeg));
  assert.equal((await good(uploads.download(`${id}/none`))).type, "image/jpeg");
  await good(uploads.upload(`${id}/stream.jpg`, new Blob([jpeg]).stream(), { duplex: "half", contentType: "image/jpeg" }));
  assert.deepEqual(await bytesOf(await good(uploads.download(`${id}/stream.jpg`))), jpeg);
});

test("a name is taken once; upsert and update replace", async () => {
  const { id, uploads } = await guest();
  await good(uploads.upload(`${id}/a.jpg`, jpeg));
  await bad(uploads.upload(`${id}/a.jpg`, jpeg), 409, /already exists/);
  await good(uploads.upload(`${id}/a.jpg`, png, { upsert: true }));
  assert.deepEqual(await bytesOf(await good(uploads.download(`${id}/a.jpg`))), png);
  await good(uploads.update(`${id}/a.jpg`, jpeg));
  assert.deepEqual(await bytesOf(await good(uploads.download(`${id}/a.jpg`))), jpeg);
});

test("what is no picture, too large, or in another's folder", async () => {
  const [ada, ben] = [await guest(), await guest()];
  await bad(ada.uploads.upload(`${ada.id}/x.svg`, "<svg xmlns='http://www.w3.org/2000/svg'/>", { contentType: "image/svg+xml" }), 415, /image\/svg\+xml is not supported/);
  await bad(ada.uploads.upload(`${ada.id}/large.jpg`, Buffer.concat([jpeg, Buffer.alloc(1_200_000)])), 413, /maximum allowed size/);
  await bad(ada.uploads.upload(`${ben.id}/x.jpg`, jpeg), 403, /row-level security/);
  await bad(ada.supabase.storage.from("nowhere").upload(`${ada.id}/x.jpg`, jpeg), 404, /Bucket not found/);
  await bad(client().storage.from("uploads").upload(`${ada.id}/x.jpg`, jpeg), 401);
  await bad(ada.uploads.upload(`${ada.id}/ä.jpg`, jpeg), 400, /Invalid key/);
  await good(ben.uploads.upload(`${ben.id}/his.jpg`, jpeg));
  await bad(ada.uploads.createSignedUrl(`${ben.id}/his.jpg`, 60), 404);
  assert.equal((await ada.uploads.download(`${ben.id}/his.jpg`)).error.status ?? 404, 404);
  assert.deepEqual(await good(ada.uploads.remove([`${ben.id}/his.jpg`])), []);
  assert.equal((await ben.uploads.exists(`${ben.id}/his.jpg`)).data, true);
});

test("list with folders, limit, offset, sort and search", async () => {
  const { id, uploads } = await guest();
  for (const name of ["b.jpg", "a.jpg", "c.jpg", "deep/d.jpg", "deep/er/e.jpg", "Apple.jpg"]) await good(uploads.upload(`${id}/${name}`, jpeg));
  const names = (rows) => rows.map((row) => row.name);
  const root = await good(uploads.list());
  assert.deepEqual(names(root), [id]);
  assert.equal(root[0].id, null);
  assert.equal(root[0].metadata, null);
  const all = await good(uploads.list(id));
  assert.deepEqual(names(all), ["deep", "Apple.jpg", "a.jpg", "b.jpg", "c.jpg"]);
  const a = all.find((row) => row.name === "a.jpg");
  assert.equal(a.metadata.mimetype, "image/jpeg");
  assert.equal(a.metadata.size, jpeg.length);
  assert.match(a.metadata.eTag, /^"[0-9a-f]{32}"$/);
  assert.match(a.created_at, /Z$/);
  assert.deepEqual(names(await good(uploads.list(`${id.toUpperCase()}/deep`))), ["er", "d.jpg"]);
  assert.deepEqual(names(await good(uploads.list(id, { limit: 2, offset: 1 }))), ["Apple.jpg", "a.jpg"]);
  assert.deepEqual(names(await good(uploads.list(id, { sortBy: { column: "name", order: "desc" } }))), ["deep", "c.jpg", "b.jpg", "a.jpg", "Apple.jpg"]);
  assert.deepEqual(names(await good(uploads.list(id, { sortBy: { column: "created_at", order: "asc" } }))), ["deep", "b.jpg", "a.jpg", "c.jpg", "Apple.jpg"]);
  assert.deepEqual(names(await good(uploads.list(id, { search: "a" }))), ["Apple.jpg", "a.jpg"]);
  assert.deepEqual(names(await good(uploads.list(`${id}/nothing`))), []);
});

test("signed addresses, one and many", async () => {
  const { id, uploads } = await guest();
  await good(uploads.upload(`${id}/my picture.jpg`, jpeg));
  const { signedUrl } = await good(uploads.createSignedUrl(`${id}/my picture.jpg`, 60, { download: "shown.jpg" }));
  const read = await fetch(signedUrl);
  assert.equal(read.status, 200);
  assert.match(read.headers.get("content-disposition"), /attachment.*shown\.jpg/);
  assert.equal((await fetch(signedUrl.replace("my%20picture", "other"))).status, 403);
  const many = await good(uploads.createSignedUrls([`${id}/my picture.jpg`, `${id}/none.jpg`], 60));
  assert.equal((await fetch(many[0].signedUrl)).status, 200);
  assert.equal(many[0].error, null);
  assert.equal(many[1].signedUrl, null);
  assert.ok(many[1].error);
  await bad(uploads.createSignedUrl(`${id}/my picture.jpg`, 0), 400);
  await bad(uploads.createSignedUrl(`${id}/none.jpg`, 60), 404);
});

test("an address for an upload is good for one place and no reading", async () => {
  const { id, uploads } = await guest();
  const signed = await good(uploads.createSignedUploadUrl(`${id}/by-another.jpg`));
  const stranger = client().storage.from("uploads");
  const up = await good(stranger.uploadToSignedUrl(signed.path, signed.token, jpeg, { contentType: "image/jpeg" }));
  assert.equal(up.fullPath, `uploads/${id}/by-another.jpg`);
  assert.deepEqual(await bytesOf(await good(uploads.download(`${id}/by-another.jpg`))), jpeg);
  await bad(stranger.uploadToSignedUrl(`${id}/elsewhere.jpg`, signed.token, jpeg), 403);
  await bad(stranger.uploadToSignedUrl(signed.path, signed.token, jpeg), 409);
  assert.equal((await fetch(`${url}/storage/v1/object/sign/uploads/${id}/by-another.jpg?token=${signed.token}`)).status, 403);
  const { signedUrl } = await good(uploads.createSignedUrl(`${id}/by-another.jpg`, 60));
  const reading = new URL(signedUrl).searchParams.get("token");
  await bad(stranger.uploadToSignedUrl(signed.path, reading, jpeg), 403);
  const again = await good(uploads.createSignedUploadUrl(`${id}/by-another.jpg`, { upsert: true }));
  await good(stranger.uploadToSignedUrl(again.path, again.token, png));
});

test("public is what lies in thumbnails, and nothing else", async () => {
  const { id, supabase, uploads } = await guest();
  const thumbnails = supabase.storage.from("thumbnails");
  await good(thumbnails.upload(`${id}/face.jpg`, jpeg));
  await good(uploads.upload(`${id}/face.jpg`, jpeg));
  const open = await fetch(thumbnails.getPublicUrl(`${id}/face.jpg`).data.publicUrl);
  assert.equal(open.status, 200);
  assert.equal(open.headers.get("x-content-type-options"), "nosniff");
  const closed = await fetch(uploads.getPublicUrl(`${id}/face.jpg`).data.publicUrl);
  assert.equal(closed.status, 404);
  assert.deepEqual(await closed.json(), { statusCode: "404", error: "not_found", message: "Object not found" });
});

test("move, copy, remove", async () => {
  const { id, uploads } = await guest();
  await good(uploads.upload(`${id}/a.jpg`, jpeg));
  await good(uploads.move(`${id}/a.jpg`, `${id}/moved/b.jpg`));
  assert.equal((await uploads.exists(`${id}/a.jpg`)).data, false);
  const { path } = await good(uploads.copy(`${id}/moved/b.jpg`, `${id}/c.jpg`));
  assert.equal(path, `uploads/${id}/c.jpg`);
  await bad(uploads.copy(`${id}/moved/b.jpg`, `${id}/c.jpg`), 409);
  await bad(uploads.move(`${id}/moved/b.jpg`, `${id}/c.jpg`), 409);
  await bad(uploads.move(`${id}/none.jpg`, `${id}/d.jpg`), 404);
  const gone = await good(uploads.remove([`${id}/moved/b.jpg`, `${id}/c.jpg`, `${id}/none.jpg`]));
  assert.deepEqual(gone.map((row) => row.name).sort(), [`${id}/c.jpg`, `${id}/moved/b.jpg`]);
  assert.deepEqual(await good(uploads.list(id)), []);
});

test("buckets are as they are", async () => {
  const { supabase } = await guest();
  const buckets = await good(supabase.storage.listBuckets());
  assert.deepEqual(buckets.map((bucket) => [bucket.id, bucket.public]), [["thumbnails", true], ["uploads", false], ["videos", false]]);
  assert.equal((await good(supabase.storage.getBucket("uploads"))).file_size_limit, 1024 * 1024);
  await bad(supabase.storage.getBucket("nowhere"), 404);
  await bad(supabase.storage.createBucket("mine"), 403);
  await bad(supabase.storage.deleteBucket("uploads"), 403);
});

test("resumable uploads say that they are not offered, at once and in words", async () => {
  const { id, supabase } = await guest();
  const { session } = (await supabase.auth.getSession()).data;
  let sent = 0;
  const fault = await new Promise((resolve, reject) => {
    const upload = new tus.Upload(jpeg, {
      endpoint: `${url}/storage/v1/upload/resumable`,
      retryDelays: [0, 0, 0],
      headers: { authorization: `Bearer ${session.access_token}`, apikey: anonKey, "x-upsert": "false" },
      metadata: { bucketName: "uploads", objectName: `${id}/resumed.jpg`, contentType: "image/jpeg", cacheControl: "3600" },
      chunkSize: 6 * 1024 * 1024,
      onBeforeRequest: () => void sent++,
      onError: resolve,
      onSuccess: () => reject(new Error("it was taken")),
    });
    upload.start();
  });
  assert.equal(sent, 1);
  assert.equal(fault.originalResponse.getStatus(), 404);
  const body = JSON.parse(fault.originalResponse.getBody());
  assert.deepEqual([body.statusCode, body.error], ["404", "not_offered"]);
  assert.match(body.message, /resumable uploads are not offered/i);
  for (const [method, path] of [["OPTIONS", ""], ["HEAD", "/abc"], ["PATCH", "/abc"], ["DELETE", "/abc"], ["POST", "/sign"]]) {
    assert.equal((await fetch(`${url}/storage/v1/upload/resumable${path}`, { method, headers: { "tus-resumable": "1.0.0" } })).status, 404, method);
  }
});

test("listV2 and transformed pictures are not offered either", async () => {
  const { id, uploads } = await guest();
  await good(uploads.upload(`${id}/a.jpg`, jpeg));
  await bad(uploads.listV2({ prefix: id }), 404, /not offered/);
  const { error } = await uploads.download(`${id}/a.jpg`, { transform: { width: 10 } });
  assert.equal(error.status ?? error.originalError?.status, 404);
  const open = await fetch(uploads.getPublicUrl(`${id}/a.jpg`, { transform: { width: 10 } }).data.publicUrl);
  assert.deepEqual([open.status, (await open.json()).error], [404, "not_offered"]);
});

test("a picture is downloaded by range, as a stream, and not again when it is the same", async () => {
  const { id, supabase, uploads } = await guest();
  await good(uploads.upload(`${id}/a.jpg`, jpeg));
  const stream = await good(uploads.download(`${id}/a.jpg`).asStream());
  const parts = [];
  for await (const part of stream) parts.push(part);
  assert.deepEqual(Buffer.concat(parts), jpeg);
  const { session } = (await supabase.auth.getSession()).data;
  const read = (headers) => fetch(`${url}/storage/v1/object/authenticated/uploads/${id}/a.jpg`, { headers: { Authorization: `Bearer ${session.access_token}`, ...headers } });
  const part = await read({ Range: "bytes=10-19" });
  assert.deepEqual([part.status, part.headers.get("content-range")], [206, `bytes 10-19/${jpeg.length}`]);
  assert.deepEqual(Buffer.from(await part.arrayBuffer()), jpeg.subarray(10, 20));
  assert.equal((await read({ Range: `bytes=${jpeg.length}-` })).status, 416);
  assert.equal((await read({ "If-None-Match": part.headers.get("etag") })).status, 304);
});
