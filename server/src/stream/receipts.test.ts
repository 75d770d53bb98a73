// Receipts over real sockets, from devices and gateways, and the tickets and answers beside them.
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { encodeReceipts, PACKED_RECEIPTS_MEDIA_TYPE } from "@loa/api/packed-receipts.ts";
import { planeBit } from "@loa/model/delivery.ts";
import { describe, expect, test } from "vitest";
import { GATEWAY_KEY, openStreamWorld, type StreamWorld, take } from "../../test/stream-kit.ts";
import { DEVICE_RECEIPTS_MAX } from "../receipt/device-receipt.ts";
import { MAKE_WAY_MS } from "../bus/make-way.ts";
import { RECEIPTS_BODY_BYTES_MAX } from "./request-head.ts";

const alice = 7;
const carol = 70_001;

const instant = (ms: number) => new Date(ms).toISOString();

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: {
    accepted?: number;
    known?: number;
    refused?: unknown;
    code?: string;
    type?: string;
    faults?: { at: string }[];
    ticket?: string;
  };
}

async function post(
  world: StreamWorld,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const bytes =
    typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
  const response = await fetch(`${world.origin}${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: bytes as string,
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Answer["body"],
  };
}

const report = (world: StreamWorld, ordinal: number, receipts: unknown): Promise<Answer> =>
  post(world, "/v1/receipts", { receipts }, { Authorization: `Bearer ${world.token(ordinal)}` });

describe("a device", () => {
  test("says that a warning was delivered and read; saying it again changes nothing", async () => {
    await using world = await openStreamWorld();
    const { dispatchId, issuedAtMs } = world.issue({ audience: [alice] });
    await world.stream.refresh();
    const receipts = [
      { dispatch: dispatchId, plane: "delivered", at: instant(issuedAtMs) },
      { dispatch: dispatchId, plane: "read", at: instant(issuedAtMs) },
    ];
    const first = await report(world, alice, receipts);
    expect([first.status, first.body]).toEqual([200, { accepted: 2, known: 0, refused: [] }]);
    const second = await report(world, alice, receipts);
    expect(second.body).toEqual({ accepted: 0, known: 2, refused: [] });
    const [batch] = world.batches[0] ?? [];
    expect(batch).toMatchObject({ dispatchId, channel: "live" });
    expect([...(batch?.ordinals ?? [])]).toEqual([alice, alice]);
    expect([...(batch?.planes ?? [])]).toEqual([planeBit("delivered"), planeBit("read")]);
  });

  test("waits with what it says while a warning is coming, and loses nothing", async () => {
    await using world = await openStreamWorld();
    const { dispatchId, issuedAtMs } = world.issue({ audience: [alice] });
    await world.stream.refresh();
    const announcedMs = performance.now();
    world.publish("warning.coming", {});
    const at = instant(issuedAtMs);
    const answer = await report(world, alice, [{ dispatch: dispatchId, plane: "delivered", at }]);
    expect(performance.now() - announcedMs).toBeGreaterThanOrEqual(MAKE_WAY_MS);
    expect(answer.body).toEqual({ accepted: 1, known: 0, refused: [] });
  });

  test("is told which of its receipts did not count, and why", async () => {
    await using world = await openStreamWorld();
    const mine = world.issue({ audience: [carol] });
    const foreign = world.issue({ audience: [alice] });
    const invented = randomUUID();
    const at = instant(Date.now());
    const answer = await report(
      world,
      carol,
      [mine.dispatchId, foreign.dispatchId, invented].map((dispatch) => ({
        dispatch,
        plane: "delivered",
        at,
      })),
    );
    expect(answer.body).toEqual({
      accepted: 1,
      known: 0,
      refused: [
        { dispatch: foreign.dispatchId, reason: "foreign", count: 1 },
        { dispatch: invented, reason: "unknown-dispatch", count: 1 },
      ],
    });
  });

  test("cannot claim times outside issue and now", async () => {
    const start = Date.now();
    await using world = await openStreamWorld({ now: () => start + 60_000 });
    const { dispatchId } = world.issue({ audience: [alice], issuedAtMs: start });
    await world.stream.refresh();
    const claims = [start - 86_400_000, start + 5_000, start + 86_400_000];
    for (const claim of claims)
      await report(world, alice, [{ dispatch: dispatchId, plane: "read", at: instant(claim) }]);
    expect(world.batches.map(([batch]) => batch?.ms[0])).toEqual([0, 5_000, 60_000]);
  });

  test("among hundreds at once is answered with its own verdict, in few requests", async () => {
    await using world = await openStreamWorld();
    const { dispatchId } = world.issue({ audience: Array(300).keys() });
    await world.stream.refresh();
    const at = instant(Date.now());
    const answers = await Promise.all(
      Array.from({ length: 400 }, (_, ordinal) =>
        report(world, ordinal, [{ dispatch: dispatchId, plane: "delivered", at }]),
      ),
    );
    expect(answers.filter(({ body }) => body.accepted === 1)).toHaveLength(300);
    expect(answers.slice(300).every(({ body }) => body.accepted === 0)).toBe(true);
    expect(world.batches.length).toBeLessThan(200);
  });

  test("keeps its connection, and may send the next request before the answer", async () => {
    await using world = await openStreamWorld();
    const { dispatchId } = world.issue({ audience: [alice] });
    const at = instant(Date.now());
    const socket = connect({ port: world.stream.port, host: "127.0.0.1", noDelay: true });
    const requests = ["delivered", "read", "read"].map((plane, i) => {
      const body = JSON.stringify({ receipts: [{ dispatch: dispatchId, plane, at }] });
      return [
        "POST /v1/receipts HTTP/1.1",
        "Host: loa",
        `Authorization: Bearer ${world.token(alice)}`,
        "Content-Type: application/json",
        `Content-Length: ${body.length}`,
        ...(i === 2 ? ["Connection: close"] : []),
        "",
        body,
      ].join("\r\n");
    });
    let answer = "";
    socket.on("data", (chunk: Buffer) => {
      answer += chunk.toString();
    });
    socket.write(requests.join(""));
    await once(socket, "close");
    expect(answer.match(/\{"accepted":\d,"known":\d/g)).toEqual([
      '{"accepted":1,"known":0',
      '{"accepted":1,"known":0',
      '{"accepted":0,"known":1',
    ]);
  });

  test("is told to try again while the ledger is away, and nothing is lost", async () => {
    await using world = await openStreamWorld();
    const { dispatchId } = world.issue({ audience: [alice] });
    const receipts = [{ dispatch: dispatchId, plane: "read", at: instant(Date.now()) }];
    world.away.ledger = true;
    const refused = await report(world, alice, receipts);
    expect([refused.status, refused.body.code]).toEqual([503, "unavailable"]);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    world.away.ledger = false;
    expect((await report(world, alice, receipts)).body).toMatchObject({ accepted: 1 });
    expect(world.stream.figures().receiptsWaiting).toBe(0);
  });

  const good = { dispatch: randomUUID(), plane: "read", at: "2026-11-24T02:10:00+07:00" };
  test.each([
    ["broken JSON", '{"receipts":[', "body-not-json", "line 1 column 14"],
    ["bytes that are not UTF-8", Buffer.from([0x22, 0xff, 0x22]), "body-not-utf8", "byte 1"],
    ["a list", [], "request-invalid", ""],
    ["an unknown field", { receipts: [good], ordinal: 8 }, "request-invalid", "/ordinal"],
    [
      "an unknown field of one",
      { receipts: [{ ...good, who: 8 }] },
      "request-invalid",
      "/receipts/0/who",
    ],
    ["nothing", { receipts: [] }, "request-invalid", "/receipts"],
    [
      "too many",
      { receipts: Array.from({ length: DEVICE_RECEIPTS_MAX + 1 }, () => good) },
      "request-invalid",
      "/receipts",
    ],
    [
      "no UUID",
      { receipts: [good, { ...good, dispatch: "x" }] },
      "request-invalid",
      "/receipts/1/dispatch",
    ],
    [
      "a plane of the engine's",
      { receipts: [{ ...good, plane: "sent" }] },
      "request-invalid",
      "/receipts/0/plane",
    ],
    [
      "a time without offset",
      { receipts: [{ ...good, at: "2026-11-24T02:10:00" }] },
      "request-invalid",
      "/receipts/0/at",
    ],
    [
      "no such day",
      { receipts: [{ ...good, at: "2026-13-24T02:10:00Z" }] },
      "request-invalid",
      "/receipts/0/at",
    ],
  ])("that sends %s is told where", async (_name, body, code, at) => {
    await using world = await openStreamWorld();
    const authorization = `Bearer ${world.token(alice)}`;
    const answer = await post(world, "/v1/receipts", body, { Authorization: authorization });
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(answer.body).toMatchObject({ code, faults: [{ at }], instance: "/v1/receipts" });
    expect(answer.body.type).toBe(`https://loa.example/docs#problem-${code}`);
    expect(world.batches).toEqual([]);
  });

  test("with too much, of another kind, or without token is refused", async () => {
    await using world = await openStreamWorld();
    const token = { Authorization: `Bearer ${world.token(alice)}` };
    const huge = "x".repeat(RECEIPTS_BODY_BYTES_MAX + 1);
    expect((await post(world, "/v1/receipts", huge, token)).body.code).toBe("body-too-large");
    const text = { ...token, "Content-Type": "text/plain" };
    expect((await post(world, "/v1/receipts", "x", text)).body.code).toBe("media-type-unsupported");
    expect((await post(world, "/v1/receipts", {})).body.code).toBe("key-missing");
    const forged = { Authorization: `Bearer ${world.token(alice).replace(".7.", ".8.")}` };
    expect((await post(world, "/v1/receipts", {}, forged)).body.code).toBe("token-invalid");
  });
});

describe("a gateway", () => {
  const path = "/v1/gateways/loopback/receipts";
  const headers = {
    Authorization: `Bearer ${GATEWAY_KEY}`,
    "Content-Type": PACKED_RECEIPTS_MEDIA_TYPE,
  };
  const packed = (dispatchId: string, count: number) =>
    encodeReceipts({
      dispatchId,
      ordinals: Uint32Array.from({ length: count }, (_, i) => i),
      planes: new Uint8Array(count).fill(planeBit("delivered")),
      ms: new Uint32Array(count).fill(900),
    });

  test("reports thousands in one body, and learns which are foreign", async () => {
    await using world = await openStreamWorld();
    const { dispatchId } = world.issue({ audience: Array(40_000).keys() });
    const answer = await post(world, path, packed(dispatchId, 50_000), headers);
    expect(answer.body).toEqual({
      accepted: 40_000,
      known: 0,
      refused: [{ dispatch: dispatchId, reason: "foreign", count: 10_000 }],
    });
    expect(world.batches[0]?.[0]).toMatchObject({ channel: "loopback", dispatchId });
  });

  test("may report on its own channel only, with its own key, and whole bodies", async () => {
    await using world = await openStreamWorld();
    const body = packed(randomUUID(), 3);
    const code = async (to: string, bytes: unknown, fields: Record<string, string>) =>
      (await post(world, to, bytes, fields)).body.code;
    expect(await code("/v1/gateways/sms/receipts", body, headers)).toBe("gateway-key-scope");
    const foreign = { ...headers, Authorization: "Bearer somebody" };
    expect(await code(path, body, foreign)).toBe("key-unknown");
    expect(await code(path, body.subarray(0, 30), headers)).toBe("receipts-invalid");
    expect(await code(path, "{}", { Authorization: headers.Authorization })).toBe(
      "media-type-unsupported",
    );
    expect(await code(path, Buffer.alloc(1_000_000), headers)).toBe("body-too-large");
    expect(world.batches).toEqual([]);
  });
});

describe("a browser", () => {
  test("changes its token for a ticket that opens one stream", async () => {
    await using world = await openStreamWorld();
    const token = { Authorization: `Bearer ${world.token(alice)}` };
    const { body } = await post(world, "/v1/stream/tickets", "", token);
    await using phone = await world.connect(alice, { token: undefined, ticket: body.ticket });
    const { dispatchId } = world.issue({ audience: [alice] });
    expect(await take(phone, 2)).toEqual(["hello", `warning ${dispatchId}`]);
    const again = world.connect(alice, { token: undefined, ticket: body.ticket });
    await expect(again).rejects.toMatchObject({ status: 401 });
    expect((await post(world, "/v1/stream/tickets", "")).body.code).toBe("key-missing");
  });

  test("of any origin may ask, with a token and never with a cookie", async () => {
    await using world = await openStreamWorld();
    const preflight = await fetch(`${world.origin}/v1/receipts`, {
      method: "OPTIONS",
      headers: { Origin: "https://app.example", "Access-Control-Request-Method": "POST" },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe("*");
    expect(preflight.headers.get("access-control-allow-headers")).toContain("Authorization");
    expect(preflight.headers.get("access-control-allow-credentials")).toBeNull();
    const health = await fetch(`${world.origin}/v1/health`);
    expect(await health.json()).toEqual({ status: "ready" });
  });
});
