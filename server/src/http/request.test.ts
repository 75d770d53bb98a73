import { z } from "@hono/zod-openapi";
import { expect, test } from "vitest";
import { readBody } from "./request.ts";

const JSON_BODY = { form: "json", schema: z.strictObject({ name: z.string() }) } as const;

/** A request whose body is this stream. */
const requestOf = (body: ReadableStream<Uint8Array>, headers: Record<string, string> = {}) =>
  new Request("http://loa/v1/x", {
    method: "POST",
    body,
    duplex: "half",
    headers: { "content-type": "application/json", ...headers },
  });

test("a body that never ends is given up after its time, and its sender told to stop", async () => {
  let told = false;
  const endless = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(Buffer.from('{"name":')),
    cancel: () => {
      told = true;
    },
  });
  const reading = readBody(requestOf(endless), JSON_BODY, 20);
  await expect(reading).rejects.toMatchObject({
    code: "request-invalid",
    message: "The body took longer than 20 ms.",
  });
  expect(told).toBe(true);
});

test("a body that breaks off is not taken for a short one", async () => {
  const broken = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(Buffer.from('{"name":"A"}')),
    pull: (controller) => controller.error(new Error("socket hang up")),
  });
  await expect(readBody(requestOf(broken), JSON_BODY)).rejects.toThrow("socket hang up");
});

test("what is announced as too long is not read at all", async () => {
  let pulled = 0;
  const body = new ReadableStream<Uint8Array>(
    { pull: () => void (pulled += 1) },
    { highWaterMark: 0 },
  );
  const request = requestOf(body, { "content-length": "999999" });
  await expect(readBody(request, JSON_BODY)).rejects.toMatchObject({ code: "body-too-large" });
  expect(pulled).toBe(0);
});

test("a route without a body refuses one, and does not mind an empty one", async () => {
  const empty = new ReadableStream<Uint8Array>({ start: (controller) => controller.close() });
  expect((await readBody(requestOf(empty), undefined)).value).toBeUndefined();
  const body = new Blob(["{}"]).stream();
  await expect(readBody(requestOf(body), undefined)).rejects.toMatchObject({
    code: "request-invalid",
  });
});
