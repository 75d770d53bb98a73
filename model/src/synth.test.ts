import { describe, expect, test } from "vitest";
import {
  type SyntheticOptions,
  type SyntheticSubscriber,
  synthesizeSubscribers,
  writeSubscriberCsv,
} from "./synth.ts";

const communes = [
  { code: "00101", population: 9_000, villages: ["00101-1", "00101-2"] },
  { code: "00102", population: 0, villages: [] },
  { code: "00103", population: 1_000, villages: [] },
];
const options: SyntheticOptions = {
  count: 20_000,
  seed: 7,
  communes,
  accounts: ["tinh-song-lua", "xa-lua-ha"],
};
const make = (over: Partial<SyntheticOptions> = {}) => [
  ...synthesizeSubscribers({ ...options, ...over }),
];
const share = (people: readonly SyntheticSubscriber[], is: (p: SyntheticSubscriber) => boolean) =>
  people.filter(is).length / people.length;

describe("synthetic people", () => {
  test("are the same for the same seed, and others for another", () => {
    expect(make()).toEqual(make());
    expect(make({ seed: 8 })).not.toEqual(make());
    expect(new Set(make().map((p) => p.ref)).size).toBe(20_000);
  });

  test("live where people live", () => {
    const people = make();
    expect(share(people, (p) => p.home.startsWith("00101"))).toBeCloseTo(0.9, 1);
    expect(people.some((p) => p.home === "00102")).toBe(false);
    expect(people.some((p) => p.home === "00101-2")).toBe(true);
  });

  test("seldom give more than their home", () => {
    const people = make();
    expect(share(people, (p) => p.places.length > 0)).toBeCloseTo(0.15, 1);
    expect(share(people, (p) => p.follows.length > 0)).toBeCloseTo(0.2, 1);
    expect(share(people, (p) => p.kind === "organisation")).toBeGreaterThan(0);
  });

  test("are of exercises and on loopback, unless somebody says otherwise", () => {
    expect(make().every((p) => p.standing === "exercise" && p.endpoints[0] === "loopback")).toBe(
      true,
    );
    const others = make({ standing: "public", liveShare: 0.25 });
    expect(others.every((p) => p.standing === "public")).toBe(true);
    expect(share(others, (p) => p.endpoints[0] === "live")).toBeCloseTo(0.25, 1);
  });

  test("cannot live where nobody does", () => {
    expect(() => make({ communes: [] })).toThrow("no commune has inhabitants");
  });

  test("become a list, one line each after the header", () => {
    const lines = [...writeSubscriberCsv(make())].join("").split("\n");
    expect(lines.length).toBe(20_002);
    expect(lines[0]).toBe(
      "ref,kind,standing,home,places,follows,endpoints,consent_version,consent_at",
    );
    expect(lines[1]).toMatch(
      /^synthetic-7-0,\w+,exercise,00\d+(-\d)?,[^,]*,[^,]*,loopback,synthetic,2026-01-05T08:00:00\+07:00$/,
    );
  });
});
