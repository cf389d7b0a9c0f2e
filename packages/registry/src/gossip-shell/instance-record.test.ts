import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { createInstance } from "../instance.ts";
import { decodeInstance, encodeInstance, InstanceRecordError, instanceKey } from "./instance-record.ts";

const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 });
const registrations = fc.record(
  {
    id: text,
    service: text,
    host: text,
    port: fc.integer({ min: 0, max: 65_535 }),
    generation: fc.nat(),
    weight: fc.double({ min: 0, max: 100, noNaN: true }).map((weight) => weight + 0),
    zone: fc.string(),
    version: fc.string(),
    metadata: fc.dictionary(text, fc.string()),
  },
  { requiredKeys: ["id", "service", "host", "port"] },
);

test("a record says what was registered, through its key and value alone", () => {
  fc.assert(
    fc.property(registrations, fc.boolean(), fc.nat(), (registration, draining, ownerGeneration) => {
      const instance = createInstance(registration, ownerGeneration);
      const key = instanceKey(instance.service, instance.id);
      assert.match(key, /^[\x21-\x7e]+$/);
      const read = decodeInstance(key, encodeInstance({ instance, draining }), ownerGeneration);
      assert.deepEqual(JSON.parse(JSON.stringify(read)), JSON.parse(JSON.stringify({ instance, draining })));
    }),
  );
});

test("a plain record is short, since defaults are left out", () => {
  const instance = createInstance({ id: "a", service: "greeter", host: "127.0.0.1", port: 50_051 }, 5);
  const value = new TextDecoder().decode(encodeInstance({ instance, draining: false }));
  assert.equal(value, '{"host":"127.0.0.1","port":50051,"generation":5}');
  assert.equal(instanceKey("helloworld.Greeter", "node 1/a"), "helloworld.Greeter/node%201%2Fa");
});

test("a record that names no generation has its owner's", () => {
  const value = new TextEncoder().encode('{"host":"h","port":1}');
  assert.equal(decodeInstance("s/a", value, 7).instance.generation, 7);
});

test("fields of a later version are ignored", () => {
  const value = new TextEncoder().encode('{"host":"h","port":1,"colour":"red"}');
  assert.equal(decodeInstance("s/a", value, 1).instance.host, "h");
});

test("a record that makes no sense is an InstanceRecordError, whatever it is", () => {
  const bad: [key: string, value: string][] = [
    ["", '{"host":"h","port":1}'],
    ["s", '{"host":"h","port":1}'],
    ["s/a/b", '{"host":"h","port":1}'],
    ["s/", '{"host":"h","port":1}'],
    ["s/%zz", '{"host":"h","port":1}'],
    ["s/a", ""],
    ["s/a", "null"],
    ["s/a", "[]"],
    ["s/a", '{"host":"h"}'],
    ["s/a", '{"host":1,"port":1}'],
    ["s/a", '{"host":"h","port":70000}'],
    ["s/a", '{"host":"h","port":1,"weight":"2"}'],
    ["s/a", '{"host":"h","port":1,"metadata":{"k":1}}'],
    ["s/a", '{"host":"h","port":1,"metadata":null}'],
    ["s/a", '{"host":"h","port":1,"generation":-1}'],
  ];
  for (const [key, value] of bad) {
    const bytes = new TextEncoder().encode(value);
    assert.throws(() => decodeInstance(key, bytes, 1), InstanceRecordError, `${key} ${value}`);
  }
  fc.assert(
    fc.property(fc.string(), fc.uint8Array(), (key, value) => {
      assert.throws(() => decodeInstance(key, value, 1), InstanceRecordError);
    }),
  );
});

test("names that no key can hold are refused by size or by form", () => {
  assert.throws(() => instanceKey("s".repeat(200), "i".repeat(60)), /take 261 characters encoded, the limit is 255/);
  assert.throws(() => instanceKey("s", "\ud800"), /a name is not well-formed text/);
});
