// What every channel must keep, whatever it leads to: one suite for addressed channels, one for
// area channels. A channel's test opens its channel with a far side that can be looked at and
// that can misbehave, and calls the suite. The engine relies on nothing that is not asked here.
import assert from "node:assert/strict";
import type { BulletinType } from "@loa/model/bulletin-type.ts";
import { BULLETIN_TYPES, LANES } from "@loa/model/bulletin-type.ts";
import { AREA_CHANNELS, ENDPOINT_KINDS } from "@loa/model/endpoint.ts";
import { describe, expect, test } from "vitest";
import {
  type AddressedChannel,
  type AreaChannel,
  type AreaOrder,
  type Outcome,
  OUTCOMES,
  type OrderOutcome,
  type Slice,
  type SliceOutcome,
} from "../src/channel/channel.ts";
import { newId } from "../src/db/id.ts";

/** An addressed channel and its far side. Disposing closes both. */
export interface AddressedWorld extends AsyncDisposable {
  readonly channel: AddressedChannel;
  /** Three or more people who can be told now, ascending. */
  readonly reachable: Uint32Array;
  /** People who cannot be told now, ascending; empty where there is no such thing. */
  readonly away: Uint32Array;
  /**
   * The messages of one dispatch that one person got, oldest first; waits until there are
   * `atLeast` of them. Missing where the far side keeps nothing.
   */
  received?(dispatchId: string, ordinal: number, atLeast: number): Promise<readonly Uint8Array[]>;
  /** What the world may do to the channel, by name: from then on it does. */
  readonly faults: Readonly<Record<string, () => Promise<void> | void>>;
  /** The far side takes everything and answers nothing from now on, where it can. */
  stall?(): Promise<void> | void;
}

/** An area channel and its far side. */
export interface AreaWorld extends AsyncDisposable {
  readonly channel: AreaChannel;
  /** Codes of three or more areas that it can take orders for. */
  readonly areaCodes: readonly string[];
  /** The messages of one order that were carried out or accepted; waits for `atLeast`. */
  received?(orderId: string, atLeast: number): Promise<readonly Uint8Array[]>;
  readonly faults: Readonly<Record<string, () => Promise<void> | void>>;
  stall?(): Promise<void> | void;
}

/** A channel that does not answer within this has hung: the engine waits 60 s, a test need not. */
const ANSWER_MS_MAX = 20_000;

const message = new TextEncoder().encode(
  JSON.stringify({ v: 1, headline: "Nước sông Lụa lên nhanh. Hãy rời bãi bồi.", n: "\u{1F30A}" }),
);

export const sliceOf = (
  ordinals: ArrayLike<number>,
  more: Partial<Omit<Slice, "ordinals">> = {},
): Slice => ({
  dispatchId: newId(),
  type: "Exercise",
  lane: "warning",
  message,
  ordinals: Uint32Array.from(ordinals),
  expiresAt: new Date(Date.now() + 3_600_000),
  ...more,
});

const idle = () => new AbortController().signal;

/** The outcome of each recipient. @throws when the answer is none that the interface allows. */
export function outcomesOf(
  answer: SliceOutcome,
  count: number,
): readonly Outcome[] | "later" | "lost" {
  if (answer.kind === "lost") {
    assert.notEqual(answer.reason, "");
    return "lost";
  }
  if (answer.kind === "later") {
    assert(answer.retryAfterMs >= 0 && Number.isFinite(answer.retryAfterMs), "when is later?");
    assert.notEqual(answer.reason, "");
    return "later";
  }
  if (answer.kind === "all") {
    assert(OUTCOMES.includes(answer.outcome), `${answer.outcome} is no outcome`);
    return Array.from({ length: count }, () => answer.outcome);
  }
  assert.equal(answer.outcomes.length, count, "one outcome for each recipient");
  return Array.from(answer.outcomes, (code) => {
    assert(code < OUTCOMES.length, `${code} is the code of no outcome`);
    return OUTCOMES[code] as Outcome;
  });
}

/** What a person got, as hex. A far side that keeps nothing is believed. */
async function arrived(
  world: AddressedWorld,
  slice: Slice,
  ordinal: number | undefined,
  atLeast: number,
): Promise<string[]> {
  assert(ordinal !== undefined, "a world has three people or more");
  if (!world.received) return Array.from({ length: atLeast }, () => hex(message));
  return (await world.received(slice.dispatchId, ordinal, atLeast)).map(hex);
}

async function arrivedOrders(world: AreaWorld, one: AreaOrder, atLeast: number): Promise<string[]> {
  if (!world.received) return Array.from({ length: atLeast }, () => hex(message));
  return (await world.received(one.orderId, atLeast)).map(hex);
}

async function within<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new Error("the channel did not answer")), ANSWER_MS_MAX);
  });
  return await Promise.race([answer, late]).finally(() => clearTimeout(timer));
}

const handOver = (channel: AddressedChannel, slice: Slice, signal = idle()) =>
  within(channel.handOver(slice, signal));

const unreached = (reaches: readonly BulletinType[]) =>
  BULLETIN_TYPES.filter((type) => !reaches.includes(type));

/** The suite for addressed channels. `open` gives each test a world of its own. */
export function describeAddressedChannel(name: string, open: () => Promise<AddressedWorld>): void {
  describe(`${name} keeps what every addressed channel keeps`, () => {
    describeAddressedDuties(open);
    describeAddressedFaults(open);
  });
}

function describeAddressedDuties(open: () => Promise<AddressedWorld>): void {
  test("it says how much it takes", async () => {
    await using world = await open();
    const { channel } = world;
    expect(channel.form).toBe("addressed");
    expect(ENDPOINT_KINDS).toContain(channel.name);
    expect(["resend", "unsure"]).toContain(channel.onCrash);
    expect(channel.reaches.length).toBeGreaterThan(0);
    expect(Number.isInteger(channel.sliceSize) && channel.sliceSize > 0).toBe(true);
    expect(channel.sliceSize).toBeLessThanOrEqual(65_536);
  });

  test("whoever can be told gets exactly the message, once", async () => {
    await using world = await open();
    const slice = sliceOf(world.reachable, typeOf(world.channel));
    const outcomes = outcomesOf(await handOver(world.channel, slice), slice.ordinals.length);
    expect(outcomes).toEqual(Array.from(slice.ordinals, () => "sent"));
    for (const ordinal of slice.ordinals)
      expect(await arrived(world, slice, ordinal, 1)).toEqual([hex(message)]);
  });

  test("whoever is away is held, and the others are told", async () => {
    await using world = await open();
    const ordinals = Uint32Array.from([...world.reachable, ...world.away]).toSorted();
    const slice = sliceOf(ordinals, typeOf(world.channel));
    const outcomes = outcomesOf(await handOver(world.channel, slice), ordinals.length);
    const wanted = Array.from(ordinals, (each) => (world.away.includes(each) ? "held" : "sent"));
    expect(outcomes).toEqual(wanted);
  });

  test("a whole slice gets an outcome for each, and nothing that was handed in is changed", async () => {
    await using world = await open();
    const first = world.reachable[0] as number;
    const ordinals = Uint32Array.from({ length: world.channel.sliceSize }, (_, i) => first + i);
    const slice = sliceOf(ordinals, typeOf(world.channel));
    const outcomes = outcomesOf(await handOver(world.channel, slice), ordinals.length);
    expect(outcomes).toHaveLength(ordinals.length);
    expect(slice.ordinals).toEqual(ordinals);
    expect(hex(slice.message)).toBe(hex(message));
  });

  test("a slice of each lane may be under way, each with its own answer", async () => {
    await using world = await open();
    const { channel, reachable } = world;
    const slices = LANES.map((_, i) =>
      sliceOf(reachable.subarray(0, 1 + (i % reachable.length)), typeOf(channel)),
    );
    const answers = await Promise.all(slices.map((slice) => handOver(channel, slice)));
    for (const [i, answer] of answers.entries()) {
      const slice = slices[i] as Slice;
      const wanted = Array.from(slice.ordinals, () => "sent");
      expect(outcomesOf(answer, wanted.length)).toEqual(wanted);
      expect(await arrived(world, slice, slice.ordinals[0], 1)).toHaveLength(1);
    }
  });

  test("a type that it does not reach is told to nobody", async () => {
    await using world = await open();
    for (const type of unreached(world.channel.reaches)) {
      const slice = sliceOf(world.reachable, { type });
      // Only the engine could hand it over, by a fault of ours: it may reject or fail everybody.
      const refusal: SliceOutcome = { kind: "all", outcome: "failed" };
      const answer = await handOver(world.channel, slice).catch(() => refusal);
      const wanted = Array.from(slice.ordinals, () => "failed");
      expect(outcomesOf(answer, wanted.length)).toEqual(wanted);
      expect(await arrived(world, slice, world.reachable[0], 0)).toEqual([]);
    }
  });
}

function describeAddressedFaults(open: () => Promise<AddressedWorld>): void {
  test("what was aborted before it began is handed to nobody", async () => {
    await using world = await open();
    const slice = sliceOf(world.reachable, typeOf(world.channel));
    const answer = await handOver(world.channel, slice, AbortSignal.abort());
    expect(claimsToHaveTold(answer, slice)).toBe(false);
    expect(await arrived(world, slice, world.reachable[0], 0)).toEqual([]);
  });

  test("an abort ends the wait for a far side that answers nothing", async () => {
    await using world = await open();
    if (!world.stall) return;
    await world.stall();
    const stop = new AbortController();
    const slice = sliceOf(world.reachable, typeOf(world.channel));
    const answer = handOver(world.channel, slice, stop.signal);
    stop.abort();
    // Nobody answered, so nobody can be called sent.
    expect(claimsToHaveTold(await answer, slice)).toBe(false);
  });

  test("whatever the world does, it answers", async () => {
    for (const name of await faultsOf(open)) {
      await using world = await open();
      await world.faults[name]?.();
      const slice = sliceOf(world.reachable, typeOf(world.channel));
      const answer = await handOver(world.channel, slice);
      expect([name, ["all", "each", "later", "lost"].includes(answer.kind)]).toEqual([name, true]);
      outcomesOf(answer, slice.ordinals.length);
    }
  });

  test("it can be closed twice, and then tells nobody anything", async () => {
    await using world = await open();
    await within(world.channel.close());
    await within(world.channel.close());
    const slice = sliceOf(world.reachable, typeOf(world.channel));
    const answer = await handOver(world.channel, slice);
    // A channel without a far side, as null, has nothing to lose by being closed.
    expect(claimsToHaveTold(answer, slice) && world.received !== undefined).toBe(false);
  });
}

const typeOf = (channel: { readonly reaches: readonly BulletinType[] }) => ({
  type: channel.reaches[0] as BulletinType,
});

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

function claimsToHaveTold(answer: SliceOutcome, slice: Slice): boolean {
  const outcomes = outcomesOf(answer, slice.ordinals.length);
  return typeof outcomes !== "string" && outcomes.includes("sent");
}

/** The names of the faults that a world can be told to have. */
async function faultsOf(
  open: () => Promise<AddressedWorld> | Promise<AreaWorld>,
): Promise<readonly string[]> {
  await using world = await open();
  return Object.keys(world.faults);
}

export const orderOf = (
  areaCode: string,
  more: Partial<Omit<AreaOrder, "areaCode">> = {},
): AreaOrder => ({
  orderId: newId(),
  dispatchId: newId(),
  type: "Exercise",
  lane: "warning",
  message,
  areaCode,
  expiresAt: new Date(Date.now() + 3_600_000),
  ...more,
});

const order = (channel: AreaChannel, one: AreaOrder, signal = idle()) =>
  within(channel.order(one, signal));

/** The kind of an answer. @throws when it is none that the interface allows. */
export function kindOf(answer: OrderOutcome): OrderOutcome["kind"] {
  if (answer.kind === "accepted") assert.notEqual(answer.reference, "");
  else if (answer.kind === "carried-out")
    assert(Number.isSafeInteger(answer.claimed) && answer.claimed >= 0, "how many people?");
  else assert.notEqual(answer.reason, "");
  if (answer.kind === "later") assert(answer.retryAfterMs >= 0, "when is later?");
  return answer.kind;
}

const TAKEN: readonly string[] = ["accepted", "carried-out"];

/** The suite for area channels. */
export function describeAreaChannel(name: string, open: () => Promise<AreaWorld>): void {
  describe(`${name} keeps what every area channel keeps`, () => {
    test("it says how much it takes", async () => {
      await using world = await open();
      const { channel } = world;
      expect(channel.form).toBe("area");
      expect(AREA_CHANNELS).toContain(channel.name);
      expect(["resend", "unsure"]).toContain(channel.onCrash);
      expect(channel.reaches.length).toBeGreaterThan(0);
      expect(Number.isInteger(channel.ordersAtOnce) && channel.ordersAtOnce > 0).toBe(true);
    });

    test("an order is taken, with exactly the message", async () => {
      await using world = await open();
      const one = orderOf(world.areaCodes[0] as string, typeOf(world.channel));
      expect(TAKEN).toContain(kindOf(await order(world.channel, one)));
      expect(await arrivedOrders(world, one, 1)).toEqual([hex(message)]);
    });

    test("as many orders as it allows may be under way", async () => {
      await using world = await open();
      const { channel, areaCodes } = world;
      const orders = Array.from({ length: channel.ordersAtOnce }, (_, i) =>
        orderOf(areaCodes[i % areaCodes.length] as string, typeOf(channel)),
      );
      const answers = await Promise.all(orders.map((one) => order(channel, one)));
      for (const answer of answers) expect(TAKEN).toContain(kindOf(answer));
    });

    describeAreaFaults(open);
  });
}

function describeAreaFaults(open: () => Promise<AreaWorld>): void {
  test("the same order again is carried out once, where a crash resends", async () => {
    await using world = await open();
    if (world.channel.onCrash !== "resend") return;
    const one = orderOf(world.areaCodes[0] as string, typeOf(world.channel));
    kindOf(await order(world.channel, one));
    expect(TAKEN).toContain(kindOf(await order(world.channel, one)));
    expect(await arrivedOrders(world, one, 1)).toHaveLength(1);
  });

  test("what was aborted before it began is not ordered", async () => {
    await using world = await open();
    const one = orderOf(world.areaCodes[0] as string, typeOf(world.channel));
    expect(kindOf(await order(world.channel, one, AbortSignal.abort()))).toBe("later");
    expect(await arrivedOrders(world, one, 0)).toEqual([]);
  });

  test("an abort ends the wait for a far side that answers nothing", async () => {
    await using world = await open();
    if (!world.stall) return;
    await world.stall();
    const stop = new AbortController();
    const one = orderOf(world.areaCodes[0] as string, typeOf(world.channel));
    const answer = order(world.channel, one, stop.signal);
    stop.abort();
    expect(["later", "lost"]).toContain(kindOf(await answer));
  });

  test("a type that it does not reach is not ordered", async () => {
    await using world = await open();
    for (const type of unreached(world.channel.reaches)) {
      const one = orderOf(world.areaCodes[0] as string, { type });
      const refusal: OrderOutcome = { kind: "refused", reason: "rejected" };
      expect(kindOf(await order(world.channel, one).catch(() => refusal))).toBe("refused");
      expect(await arrivedOrders(world, one, 0)).toEqual([]);
    }
  });

  test("whatever the world does, it answers", async () => {
    for (const name of await faultsOf(open)) {
      await using world = await open();
      await world.faults[name]?.();
      const one = orderOf(world.areaCodes[0] as string, typeOf(world.channel));
      const kind = kindOf(await order(world.channel, one));
      expect([...TAKEN, "refused", "later", "lost"].map((each) => `${name}: ${each}`)).toContain(
        `${name}: ${kind}`,
      );
    }
  });

  test("it can be closed twice, and then takes nothing", async () => {
    await using world = await open();
    await within(world.channel.close());
    await within(world.channel.close());
    const one = orderOf(world.areaCodes[0] as string, typeOf(world.channel));
    expect(kindOf(await order(world.channel, one))).toBe("later");
  });
}
