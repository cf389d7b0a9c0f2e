import assert from "node:assert/strict";
import { test } from "node:test";
import { subjectAltNames } from "./peer-certificate.ts";

test("subject alternative names keep their kind", () => {
  assert.deepEqual(subjectAltNames("DNS:a.example, IP Address:10.0.0.1, URI:spiffe://a/b"), [
    "DNS:a.example",
    "IP:10.0.0.1",
    "URI:spiffe://a/b",
  ]);
  assert.deepEqual(subjectAltNames(""), []);
});

test("a quoted name is one name, whatever it holds", () => {
  assert.deepEqual(subjectAltNames('URI:"http://a/?b, DNS:victim.example", DNS:c'), [
    "URI:http://a/?b, DNS:victim.example",
    "DNS:c",
  ]);
  assert.deepEqual(subjectAltNames('DNS:"a\\", DNS:b"'), ['DNS:a", DNS:b']);
});

test("kinds that prove no name are left out", () => {
  assert.deepEqual(subjectAltNames("email:a@b.example, DNS:a, othername:<unsupported>"), ["DNS:a"]);
});
