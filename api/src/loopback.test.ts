import fc from "fast-check";
import { expect, test } from "vitest";
import { BULLETIN_TYPES, LANES } from "@loa/model/bulletin-type.ts";
import {
  createLoopbackDecoder,
  decodeLoopbackFrame,
  encodeLoopbackFrame,
  LOOPBACK_FRAME_BYTES_MAX,
  LOOPBACK_MESSAGE_BYTES_MAX,
  LOOPBACK_ORDINALS_MAX,
  LOOPBACK_OUTCOMES,
  LoopbackFault,
  type LoopbackFrame,
} from "./loopback.ts";

const id = fc.integer({ min: 0, max: 0xffff_ffff });
const text = fc.string({ unit: "binary", maxLength: 200 });
const message = fc.uint8Array({ maxLength: 2000 });
const ordinals = fc
  .uniqueArray(id, { maxLength: 300 })
  .map((list) => Uint32Array.from(list).toSorted());
const head = {
  dispatchId: fc.uuid(),
  type: fc.constantFrom(...BULLETIN_TYPES),
  lane: fc.constantFrom(...LANES),
  expiresAtMs: fc.integer({ min: 0, max: 4_000_000_000_000 }),
};
const later = fc.record({ kind: fc.constant("later" as const), retryAfterMs: id, reason: text });

const frame: fc.Arbitrary<LoopbackFrame> = fc.oneof(
  fc.record({
    kind: fc.constant("slice" as const),
    id,
    slice: fc.record({ ...head, ordinals, message }),
  }),
  fc.record({
    kind: fc.constant("answer" as const),
    id,
    answer: fc.oneof(
      fc.record({
        kind: fc.constant("all" as const),
        outcome: fc.constantFrom(...LOOPBACK_OUTCOMES),
      }),
      fc.record({
        kind: fc.constant("each" as const),
        outcomes: fc.uint8Array({ max: LOOPBACK_OUTCOMES.length - 1, maxLength: 300 }),
      }),
      later,
    ),
  }),
  fc.record({
    kind: fc.constant("order" as const),
    id,
    order: fc.record({ ...head, orderId: fc.uuid(), areaCode: text, message }),
  }),
  fc.record({
    kind: fc.constant("order-answer" as const),
    id,
    answer: fc.oneof(
      fc.record({ kind: fc.constant("accepted" as const), reference: text }),
      fc.record({ kind: fc.constant("carried-out" as const), claimed: id, evidence: text }),
      fc.record({ kind: fc.constant("refused" as const), reason: text }),
      later,
    ),
  }),
  fc.record({
    kind: fc.constantFrom("control" as const, "control-answer" as const),
    id,
    body: fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value))),
  }),
);

/** Everything that a decoder heard from these chunks. */
function hearAll(chunks: readonly Uint8Array[]): LoopbackFrame[] {
  const heard: LoopbackFrame[] = [];
  const push = createLoopbackDecoder((each) => void heard.push(each));
  for (const chunk of chunks) push(chunk);
  return heard;
}

/** Cuts bytes at the given places. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length];
  at.sort((a, b) => a - b);
  return at.slice(1).map((end, i) => bytes.slice(at[i], end));
}

test("what is written is what is read, wherever the stream is cut", () => {
  fc.assert(
    fc.property(
      fc.array(frame, { minLength: 1, maxLength: 5 }),
      fc.array(fc.nat(), { maxLength: 12 }),
      (frames, places) => {
        const bytes = Buffer.concat(frames.map((each) => encodeLoopbackFrame(each)));
        expect(hearAll(cut(bytes, places))).toEqual(frames);
      },
    ),
  );
});

test("a frame that lost or gained bytes is a fault, never a wrong frame", () => {
  fc.assert(
    fc.property(frame, fc.nat(), (each, place) => {
      const body = encodeLoopbackFrame(each).subarray(4);
      expect(() => decodeLoopbackFrame(body.subarray(0, place % body.length))).toThrow(
        LoopbackFault,
      );
      expect(() => decodeLoopbackFrame(Buffer.concat([body, Buffer.from([0])]))).toThrow(
        LoopbackFault,
      );
    }),
  );
});

/** What reading threw, if it threw. */
function faultOf(read: () => unknown): unknown {
  try {
    read();
  } catch (fault) {
    return fault;
  }
  return undefined;
}
const onlyLoopbackFault = (fault: unknown) => fault === undefined || fault instanceof LoopbackFault;

test("whatever bytes arrive, a reader hears frames or throws a LoopbackFault, nothing else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      expect(faultOf(() => hearAll([bytes]))).toSatisfy(onlyLoopbackFault);
      expect(faultOf(() => decodeLoopbackFrame(bytes))).toSatisfy(onlyLoopbackFault);
    }),
    { numRuns: 2000 },
  );
});

test("one wrong byte in a frame never leads to anything but a frame or a LoopbackFault", () => {
  fc.assert(
    fc.property(frame, fc.nat(), fc.integer({ min: 0, max: 255 }), (each, place, byte) => {
      const body = encodeLoopbackFrame(each).slice(4);
      body[place % body.length] = byte;
      expect(faultOf(() => decodeLoopbackFrame(body))).toSatisfy(onlyLoopbackFault);
    }),
  );
});

const slice = {
  dispatchId: "01890a5d-ac96-774b-bcce-b302099a8057",
  type: "Exercise" as const,
  lane: "warning" as const,
  expiresAtMs: 1_800_000_000_000,
  ordinals: Uint32Array.of(3, 70_000, 4_294_967_295),
  message: Buffer.from("{}"),
};

test("a length above the limit is refused before anything is stored for it", () => {
  const head = new Uint8Array(4);
  new DataView(head.buffer).setUint32(0, LOOPBACK_FRAME_BYTES_MAX + 1, true);
  expect(() => hearAll([head])).toThrow(LoopbackFault);
});

test("too many recipients or too long a message cannot be sent", () => {
  const many = Uint32Array.from({ length: LOOPBACK_ORDINALS_MAX + 1 }, (_, i) => i);
  const long = new Uint8Array(LOOPBACK_MESSAGE_BYTES_MAX + 1);
  for (const wrong of [
    { ...slice, ordinals: many },
    { ...slice, message: long },
    { ...slice, dispatchId: "no-uuid" },
  ])
    expect(() => encodeLoopbackFrame({ kind: "slice", id: 1, slice: wrong })).toThrow(
      LoopbackFault,
    );
});

test("recipients out of order or twice are a fault", () => {
  for (const wrong of [Uint32Array.of(2, 1), Uint32Array.of(1, 1)]) {
    const bytes = encodeLoopbackFrame({
      kind: "slice",
      id: 1,
      slice: { ...slice, ordinals: wrong },
    });
    expect(() => hearAll([bytes])).toThrow(/not above/);
  }
});
