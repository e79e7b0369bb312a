// Apple's own verifier as the judge of signed data: reads {root, cases:[{name, kind, jws}]} from a file, prints who was accepted.
import { readFileSync } from "node:fs";
import { Environment, SignedDataVerifier } from "@apple/app-store-server-library";

const { root, bundleId, appAppleId, cases } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const verifier = new SignedDataVerifier([Buffer.from(root, "base64")], false, Environment.PRODUCTION, bundleId, appAppleId);
const verdicts = {};
for (const { name, kind, jws } of cases) {
  try {
    await (kind === "notification" ? verifier.verifyAndDecodeNotification(jws) : verifier.verifyAndDecodeTransaction(jws));
    verdicts[name] = true;
  } catch {
    verdicts[name] = false;
  }
}
console.log(JSON.stringify(verdicts));
