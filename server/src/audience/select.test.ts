import type { BulletinType, Standing } from "@loa/model/bulletin-type.ts";
import { STANDING_OF_TYPE } from "@loa/model/bulletin-type.ts";
import { ENDPOINT_KINDS } from "@loa/model/endpoint.ts";
import type { AudienceRule, ResolvedTarget } from "@loa/model/target.ts";
import * as fc from "fast-check";
import { RoaringBitmap32, roaringLibraryInitialize } from "roaring-wasm";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Area, buildAreaTree } from "../registry/area.ts";
import type { SubscriberState } from "../registry/subscriber-state.ts";
import { type AudienceBitmaps, createAudienceBitmaps, PARTS } from "./audience-bitmaps.ts";
import { decodeContainer } from "./container.ts";
import { estimateAudience } from "./estimate.ts";
import { freezeAudience, freezeSets, type FrozenAudience } from "./freeze.ts";
import type { AudienceQuery } from "./select.ts";

beforeAll(() => roaringLibraryInitialize());

// A district before and after a reform. Communes 11, 12, 13 of today with villages 111, 112, 121;
// of the former ones, 21 went whole to 11, 22 was divided between 11 and 12, and 23 between 12
// and 13; village 221 of 22 went whole to 121.
const area = (id: number, packId: number, level: string, parentId: number | null): Area => ({
  id,
  packId,
  level,
  parentId,
  code: String(id),
  kind: null,
  name: { vi: `Xã ${id}`, en: `Commune ${id}` },
  population: level === "commune" ? 100 : null,
});
const TREE = buildAreaTree(
  [
    { id: 1, name: "Sông Lụa", validFrom: "2020-01-01", active: false },
    { id: 2, name: "Sông Lụa", validFrom: "2025-07-01", active: true },
  ],
  [
    area(21, 1, "commune", null),
    area(22, 1, "commune", null),
    area(23, 1, "commune", null),
    area(221, 1, "village", 22),
    area(11, 2, "commune", null),
    area(12, 2, "commune", null),
    area(13, 2, "commune", null),
    area(111, 2, "village", 11),
    area(112, 2, "village", 11),
    area(121, 2, "village", 12),
  ],
  (
    [
      [21, 11, false],
      [22, 11, true],
      [22, 12, true],
      [23, 12, true],
      [23, 13, true],
      [221, 121, false],
    ] as const
  ).map(([old, areaId, part]) => ({
    packId: 2,
    oldCode: String(old),
    oldName: null,
    areaId,
    part,
  })),
);
const COMMUNES = [11, 12, 13];
const VILLAGES: Record<number, number[]> = { 11: [111, 112], 12: [121], 13: [] };
const HOMES: readonly [number, number | null][] = [
  [11, null],
  [12, null],
  [13, null],
  [21, null],
  [22, null],
  [23, null],
  [11, 111],
  [11, 112],
  [12, 121],
  [22, 221],
];

interface Person extends SubscriberState {
  readonly ordinal: number;
}
const person = fc
  .record({
    ordinal: fc.oneof(fc.nat(300), fc.integer({ min: 65_000, max: 66_000 })),
    home: fc.constantFrom(...HOMES),
    places: fc.uniqueArray(fc.constantFrom(11, 12, 13, 22, 23, 111, 121), { maxLength: 3 }),
    follows: fc.uniqueArray(fc.constantFrom(1, 2), { maxLength: 2 }),
    endpoints: fc.nat(2 ** ENDPOINT_KINDS.length - 1),
    standing: fc.constantFrom<Standing>("public", "exercise"),
  })
  .map(({ home: [home, village], places, ...rest }): Person => {
    // As registered: a village beside its commune.
    const withCommunes = places.flatMap((id) => [id, TREE.communeOf(id)?.id ?? id]);
    return { ...rest, home, village, places: [...new Set(withCommunes)] };
  });
const people = fc.uniqueArray(person, { maxLength: 60, selector: (p) => p.ordinal });
const target = fc
  .uniqueArray(
    fc.constantFrom(...COMMUNES).chain((areaId) =>
      fc.record({
        areaId: fc.constant(areaId),
        code: fc.constant(String(areaId)),
        villageIds: fc.option(
          fc.subarray(VILLAGES[areaId] as number[], {
            minLength: Math.min(1, areaId === 13 ? 0 : 1),
          }),
        ),
        share: fc.constant(null),
      }),
    ),
    { selector: (commune) => commune.areaId, maxLength: 3 },
  )
  .map((communes): ResolvedTarget => ({ packs: [], communes }));
const query = fc.record({
  resolved: target,
  rule: fc.constantFrom<AudienceRule>("residents", "followers", "both"),
  accountOrdinal: fc.constantFrom(1, 2, 3),
  type: fc.constantFrom<BulletinType>("Actual", "Exercise", "PublicTest"),
});

/** The rules once more, person by person, as slowly and plainly as can be. */
function judge(person: Person, { resolved, rule, accountOrdinal, type }: AudienceQuery) {
  if (person.standing !== STANDING_OF_TYPE[type]) return undefined;
  const follows = person.follows.includes(accountOrdinal);
  if (rule === "followers" && !follows) return undefined;
  const targets = resolved.communes.toSorted((a, b) => (a.code < b.code ? -1 : 1));
  const holds = (ids: readonly (number | null)[]) =>
    targets.find(({ areaId, villageIds }) =>
      (villageIds ?? [areaId]).some((unit) =>
        ids.some((id) => id !== null && TREE.countedIn(unit).includes(id)),
      ),
    );
  const home = holds([person.home, person.village]);
  if (home) return { part: "residents" as const, areaId: home.areaId };
  const place = holds(person.places);
  if (place) return { part: "concerned" as const, areaId: place.areaId };
  if (!follows || rule === "residents") return undefined;
  const candidates = TREE.currentOf(person.home).map(({ area }) => area.id);
  return { part: "concerned" as const, areaId: Math.min(...candidates) };
}

const opened: AudienceBitmaps[] = [];
afterEach(() => opened.splice(0).forEach((bitmaps) => bitmaps.dispose()));
function indexOf(registered: readonly Person[]): AudienceBitmaps {
  const bitmaps = createAudienceBitmaps();
  opened.push(bitmaps);
  for (const { ordinal, ...state } of registered) bitmaps.add(ordinal, state);
  return bitmaps;
}
const ordinalsIn = (bytes: Uint8Array): number[] => {
  const bitmap = RoaringBitmap32.deserialize("portable", bytes);
  const ordinals = bitmap.toArray();
  bitmap.dispose();
  return ordinals;
};
const attributed = (audience: FrozenAudience) =>
  audience.communes
    .flatMap(({ areaId, residents, concerned }) => [
      ...ordinalsIn(residents).map((ordinal) => ({ ordinal, areaId, part: "residents" })),
      ...ordinalsIn(concerned).map((ordinal) => ({ ordinal, areaId, part: "concerned" })),
    ])
    .toSorted((a, b) => a.ordinal - b.ordinal);
const reached = (audience: FrozenAudience, kind: (typeof ENDPOINT_KINDS)[number]) =>
  audience
    .shards(kind)
    .flatMap(({ shard, recipients }) =>
      [...decodeContainer(recipients)].map((low) => shard * 65_536 + low),
    );

describe("the audience", () => {
  test("is whom the rules name, each once, with one commune, as judged person by person", () => {
    fc.assert(
      fc.property(people, query, (registered, asked) => {
        const audience = freezeAudience(indexOf(registered), TREE, asked);
        const expected = registered
          .flatMap((one) => {
            const verdict = judge(one, asked);
            return verdict
              ? [{ ordinal: one.ordinal, areaId: verdict.areaId, part: verdict.part }]
              : [];
          })
          .toSorted((a, b) => a.ordinal - b.ordinal);
        expect(attributed(audience)).toEqual(expected);
        expect(audience.residents).toBe(expected.filter((e) => e.part === "residents").length);
        expect(audience.concerned).toBe(expected.filter((e) => e.part === "concerned").length);
        const members = new Set(expected.map((e) => e.ordinal));
        for (const [bit, kind] of ENDPOINT_KINDS.entries())
          expect(reached(audience, kind)).toEqual(
            registered
              .filter((p) => members.has(p.ordinal) && (p.endpoints & (1 << bit)) !== 0)
              .map((p) => p.ordinal)
              .toSorted((a, b) => a - b),
          );
      }),
      { numRuns: 400 },
    );
  });

  test("is estimated exactly as it would be frozen", () => {
    fc.assert(
      fc.property(people, query, (registered, asked) => {
        const bitmaps = indexOf(registered);
        const [audience, estimate] = [
          freezeAudience(bitmaps, TREE, asked),
          estimateAudience(bitmaps, TREE, asked),
        ];
        expect(estimate.total).toBe(audience.residents + audience.concerned);
        for (const kind of ENDPOINT_KINDS) {
          const { residents, concerned } = estimate.endpoints[kind];
          expect(residents + concerned).toBe(reached(audience, kind).length);
        }
        const byCommune = estimate.communes
          .filter((row) => row.residents + row.concerned > 0)
          .map(({ areaId, residents, concerned }) => ({ areaId, residents, concerned }));
        const frozen = audience.communes.map(({ areaId, residents, concerned }) => ({
          areaId,
          residents: ordinalsIn(residents).length,
          concerned: ordinalsIn(concerned).length,
        }));
        const sort = (rows: { areaId: number }[]) => rows.toSorted((a, b) => a.areaId - b.areaId);
        expect(sort(byCommune)).toEqual(sort(frozen));
      }),
    );
  });

  test("of an Exercise never holds one of the public", () => {
    fc.assert(
      fc.property(people, query, (registered, asked) => {
        const audience = freezeAudience(indexOf(registered), TREE, { ...asked, type: "Exercise" });
        const publicly = new Set(
          registered.filter((p) => p.standing === "public").map((p) => p.ordinal),
        );
        expect(attributed(audience).filter(({ ordinal }) => publicly.has(ordinal))).toEqual([]);
      }),
    );
  });
});

describe("the audience of a cancel", () => {
  test("is exactly the given people, in the communes of the alert, without those deleted since", () => {
    fc.assert(
      fc.property(people, query, fc.nat(), (registered, asked, seed) => {
        const alert = freezeAudience(indexOf(registered), TREE, asked);
        const members = attributed(alert);
        const told = members.filter((_, index) => (seed >> (index % 30)) % 2 === 0);
        const gone = new Set(told.slice(0, 3).map((m) => m.ordinal));
        const bytes = new RoaringBitmap32(told.map((m) => m.ordinal));
        const set = bytes.serialize("portable");
        bytes.dispose();
        const left = indexOf(registered.filter((p) => !gone.has(p.ordinal)));
        const expected = told.filter((m) => !gone.has(m.ordinal));
        const cancel = freezeSets(left, TREE, new Map([["live", set]]), alert.communes);
        expect(attributed(cancel)).toEqual(expected);
        expect(reached(cancel, "live")).toEqual(expected.map((m) => m.ordinal));
        const byHome = freezeSets(left, TREE, new Map([["live", set]]), []);
        expect(byHome.residents).toBe(expected.length);
        expect(byHome.concerned).toBe(0);
      }),
    );
  });
});

describe("the parts of a snapshot", () => {
  test("make the same index again, whatever was added and removed", () => {
    fc.assert(
      fc.property(people, people, query, (first, second, asked) => {
        const bitmaps = indexOf(first);
        for (const { ordinal, ...state } of first.slice(0, 9)) bitmaps.remove(ordinal, state);
        const kept = new Set(first.slice(9).map((p) => p.ordinal));
        for (const { ordinal, ...state } of second)
          if (!kept.has(ordinal)) bitmaps.addLater(ordinal, state);
        bitmaps.flush();
        const again = createAudienceBitmaps();
        opened.push(again);
        for (let part = 0; part < PARTS; part++) again.loadPart(bitmaps.packPart(part));
        expect(attributed(freezeAudience(again, TREE, asked))).toEqual(
          attributed(freezeAudience(bitmaps, TREE, asked)),
        );
        expect(bitmaps.changedParts()).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });

  test("of another format, or cut short, are refused", () => {
    const bitmaps = indexOf([]);
    expect(() => bitmaps.loadPart(Uint8Array.of(9))).toThrow("format 9");
    expect(() => bitmaps.loadPart(Uint8Array.of(1, 0, 0))).toThrow("within a record");
  });
});
