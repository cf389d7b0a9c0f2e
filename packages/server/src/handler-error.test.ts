import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { printHandlerError } from "./handler-error.ts";

test("an unexpected throw is one line with method and id, the stack under it", () => {
  const write = mock.method(process.stderr, "write", () => true);
  printHandlerError(new TypeError("no such thing"), "shop.Orders/add", "0123456789abcdef");
  printHandlerError("a string", "shop.Orders/add", "ff");
  const [first, second] = write.mock.calls.map(({ arguments: [text] }) => String(text));
  write.mock.restore();
  assert.match(
    first ?? "",
    /^Handler of shop\.Orders\/add failed, id 0123456789abcdef\nTypeError: no such thing\n {4}at [^]*\n$/,
  );
  assert.equal(second, "Handler of shop.Orders/add failed, id ff\na string\n");
});
