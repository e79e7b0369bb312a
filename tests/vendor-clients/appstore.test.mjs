// Apple's own library against the pretend App Store.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  APIException,
  AppStoreServerAPIClient,
  Environment,
  GetTransactionHistoryVersion,
  NotificationTypeV2,
  SignedDataVerifier,
} from "@apple/app-store-server-library";

const simulators = process.env.SIMULATORS_URL;
const bundleId = "com.example.reelbase";
const appAppleId = 1234567890;
const root = Buffer.from(await (await fetch(`${simulators}/_control/apple/root.cer`)).arrayBuffer());

function client(environment = Environment.PRODUCTION, key = process.env.APPLE_KEY) {
  const made = new AppStoreServerAPIClient(key, "SIMULATED1", "5a1e0f6c-1111-4000-8000-000000000001", bundleId, environment);
  made.urlBase = `${simulators}/appstore/${environment === Environment.SANDBOX ? "sandbox" : "production"}`;
  return made;
}
const verifier = (environment = Environment.PRODUCTION) => new SignedDataVerifier([root], false, environment, bundleId, appAppleId);

async function control(path, body) {
  const answer = await fetch(`${simulators}/_control/appstore/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  assert.equal(answer.status, 200);
  return answer.json();
}
const buy = (more = {}) => control("purchases", { product_id: "com.rendioai.credits.starter.25", notify: false, ...more });
const refusal = (code) => (error) => error instanceof APIException && error.apiError === code;

test("a purchase, looked up and verified", async () => {
  const token = "0f9d1e52-6f0b-4c0e-9a3c-2d1b5a7e8c44";
  const { transaction_id, signed_transaction } = await buy({ quantity: 2, app_account_token: token });
  for (const jws of [signed_transaction, (await client().getTransactionInfo(transaction_id)).signedTransactionInfo]) {
    const transaction = await verifier().verifyAndDecodeTransaction(jws);
    assert.equal(transaction.transactionId, transaction_id);
    assert.equal(transaction.productId, "com.rendioai.credits.starter.25");
    assert.equal(transaction.quantity, 2);
    assert.equal(transaction.appAccountToken, token);
    assert.equal(transaction.type, "Consumable");
    assert.equal(transaction.revocationDate, undefined);
  }
});

test("unknown and malformed ids", async () => {
  await assert.rejects(client().getTransactionInfo("2000000000000001"), refusal(4040010));
  await assert.rejects(client().getTransactionInfo("no-id"), refusal(4000006));
});

test("the environments know nothing of each other", async () => {
  const { transaction_id } = await buy({ environment: "Sandbox" });
  await assert.rejects(client().getTransactionInfo(transaction_id), refusal(4040010));
  const { signedTransactionInfo } = await client(Environment.SANDBOX).getTransactionInfo(transaction_id);
  assert.equal((await verifier(Environment.SANDBOX).verifyAndDecodeTransaction(signedTransactionInfo)).environment, "Sandbox");
});

test("a history of several pages, finished consumables and all", async () => {
  const customer = `customer ${Math.random()}`;
  const bought = [];
  for (let count = 0; count < 45; count++) bought.push((await buy({ customer })).transaction_id);
  const found = [];
  let revision = null;
  for (let more = true; more; ) {
    const page = await client().getTransactionHistory(bought[0], revision, {}, GetTransactionHistoryVersion.V2);
    for (const jws of page.signedTransactions) found.push((await verifier().verifyAndDecodeTransaction(jws)).transactionId);
    revision = page.revision;
    more = page.hasMore;
  }
  assert.deepEqual(found, bought);
  await assert.rejects(client().getTransactionHistory(bought[0], null, { sort: "SIDEWAYS" }, GetTransactionHistoryVersion.V2), refusal(4000021));
});

test("a refund, in part and whole, and taken back", async () => {
  const { transaction_id } = await buy();
  const read = async () => {
    const { signedTransactions } = await client().getRefundHistory(transaction_id, null);
    return signedTransactions.length === 0 ? null : verifier().verifyAndDecodeTransaction(signedTransactions[0]);
  };
  assert.equal(await read(), null);
  await control("refunds", { transaction_id, percentage: 37.5, notify: false });
  assert.equal((await read()).revocationPercentage, 37500);
  await control("refunds", { transaction_id, notify: false });
  assert.equal((await read()).revocationPercentage, 100000);
  await control("refund-reversals", { transaction_id, notify: false });
  assert.equal(await read(), null);
});

test("consumption is taken with consent only", async () => {
  const { transaction_id } = await buy();
  const body = { customerConsented: true, deliveryStatus: "DELIVERED", sampleContentProvided: true, consumptionPercentage: 62500, refundPreference: "GRANT_PRORATED" };
  await client().sendConsumptionInformation(transaction_id, body);
  await assert.rejects(client().sendConsumptionInformation(transaction_id, { ...body, customerConsented: false }), refusal(4000035));
  await assert.rejects(client().sendConsumptionInformation(transaction_id, { ...body, consumptionPercentage: 0 }), refusal(4000044));
});

test("notifications: sent, looked up and listed", async () => {
  const { transaction_id } = await buy({ notify: true });
  await control("refunds", { transaction_id });
  const list = await client().getNotificationHistory(null, { startDate: Date.now() - 3600_000, endDate: Date.now() + 60_000, transactionId: transaction_id });
  const types = [];
  for (const entry of list.notificationHistory) {
    const notification = await verifier().verifyAndDecodeNotification(entry.signedPayload);
    const transaction = await verifier().verifyAndDecodeTransaction(notification.data.signedTransactionInfo);
    assert.equal(transaction.transactionId, transaction_id);
    assert.ok(entry.sendAttempts.length > 0);
    types.push(notification.notificationType);
  }
  assert.deepEqual(types, [NotificationTypeV2.ONE_TIME_CHARGE, NotificationTypeV2.REFUND]);
  await assert.rejects(
    client().getNotificationHistory(null, { startDate: 1, endDate: Date.now() }),
    refusal(4000012),
  );
});

test("the test notification", async () => {
  // Nobody has configured this App Store where the server is.
  await assert.rejects(client().requestTestNotification(), refusal(4040007));
  await assert.rejects(client().getTestNotificationStatus("no-uuid"), refusal(4000020));
});

test("faults", async () => {
  const { transaction_id } = await buy();
  await control("faults", { kind: "rate-limit" });
  await assert.rejects(client().getTransactionInfo(transaction_id), refusal(4290000));
  await control("faults", { kind: "retryable" });
  await assert.rejects(client().getTransactionInfo(transaction_id), refusal(5000001));
});

test("another developer's key", async () => {
  const { generateKeyPairSync } = await import("node:crypto");
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  await assert.rejects(
    client(Environment.PRODUCTION, privateKey.export({ type: "pkcs8", format: "pem" })).getTransactionInfo("1"),
    (error) => error.httpStatusCode === 401,
  );
});
