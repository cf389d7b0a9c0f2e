import assert from "node:assert/strict";
import { test } from "node:test";
import { refusal } from "./request-guard.ts";

const host = "127.0.0.1:8080";
const ours = { host, origin: `http://${host}`, "sec-fetch-site": "same-origin", "content-type": "application/json" };

test("requests of our own page and of programs pass", () => {
  assert.equal(refusal("GET", { host }), undefined);
  assert.equal(refusal("GET", { host: "localhost:8080" }), undefined);
  assert.equal(refusal("GET", { host: "[::1]:8080" }), undefined);
  assert.equal(refusal("POST", ours), undefined);
  assert.equal(refusal("POST", { host, "content-type": "application/json; charset=utf-8" }), undefined);
});

test("a name that was bound to loopback by a stranger is refused, for reading too", () => {
  assert.match(
    refusal("GET", { host: "evil.example:8080" }) ?? "",
    /Host "evil.example:8080" is not this machine's loopback/,
  );
  assert.match(refusal("GET", {}) ?? "", /Host/);
  assert.match(refusal("GET", { host: "127.0.0.1.evil.example" }) ?? "", /Host/);
});

test("another page cannot press our buttons", () => {
  assert.match(refusal("POST", { ...ours, origin: "https://evil.example" }) ?? "", /Origin/);
  assert.match(refusal("POST", { ...ours, origin: "null" }) ?? "", /Origin/);
  assert.match(refusal("POST", { ...ours, origin: "http://127.0.0.1:9999" }) ?? "", /Origin/);
  assert.match(refusal("POST", { ...ours, origin: undefined, "sec-fetch-site": "cross-site" }) ?? "", /another site/);
  assert.match(refusal("POST", { ...ours, "content-type": "text/plain" }) ?? "", /expected application\/json/);
});
