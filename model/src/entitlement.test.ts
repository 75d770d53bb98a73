import { expect, test } from "vitest";
import {
  checkEntitlement,
  checkNarrower,
  type Entitlement,
  fullEntitlement,
} from "./entitlement.ts";
import type { ResolvedTarget } from "./target.ts";
import { typhoonContent } from "./typhoon-content.ts";

const content = typhoonContent({
  type: "Actual",
  target: { areas: ["SL001"], zones: [], rule: { kind: "named" } },
  channels: ["live"],
  now: new Date("2026-11-24T02:00:00Z"),
});
// Communes 1 and 2 lie in SL; village 11 in commune 1.
const above: Record<number, string[]> = {
  1: ["SL001", "SL"],
  2: ["SL002", "SL"],
  11: ["SL001-01", "SL001", "SL"],
  12: ["SL001-02", "SL001", "SL"],
};
const insideAny = (codes: readonly string[]) => (areaId: number) =>
  codes.some((code) => above[areaId]?.includes(code) ?? false);
const resolved = (...communes: [number, readonly number[] | null][]): ResolvedTarget => ({
  packs: [],
  communes: communes.map(([areaId, villageIds]) => ({
    areaId,
    code: `SL00${areaId}`,
    villageIds,
    share: null,
  })),
});
const breaches = (entitlement: Entitlement, where = resolved([1, null])): string[] =>
  checkEntitlement(content, where, entitlement, insideAny).map(({ at }) => at);

test("a province may warn all of its communes", () => {
  expect(breaches(fullEntitlement(["SL"]), resolved([1, null], [2, null]))).toEqual([]);
});

test("a commune may not warn its neighbour, however the target was drawn", () => {
  expect(breaches(fullEntitlement(["SL001"]), resolved([1, null], [2, null]))).toEqual(["/target"]);
});

test("an agency of one village may warn that village, not the commune around it", () => {
  const village = fullEntitlement(["SL001-01"]);
  expect(breaches(village, resolved([1, [11]]))).toEqual([]);
  expect(breaches(village, resolved([1, [11, 12]]))).toEqual(["/target"]);
  expect(breaches(village, resolved([1, null]))).toEqual(["/target"]);
});

test("every breach is listed: hazard, channel, audience rule, kind and type", () => {
  const nothing: Entitlement = {
    areas: [],
    hazards: [],
    channels: [],
    audienceRules: [],
    kinds: [],
    types: [],
  };
  expect(breaches(nothing)).toEqual([
    "/target",
    "/hazard",
    "/alongside/0",
    "/channels/0",
    "/audienceRule",
    "/kind",
    "/type",
  ]);
});

test("no agency is given more than its parent has", () => {
  const inside = (code: string, parent: string): boolean => code.startsWith(parent);
  const child = { ...fullEntitlement(["SL001"]), hazards: ["storm", "flood"] as const };
  const parent = { ...fullEntitlement(["SL"]), hazards: ["storm"] as const };
  expect(checkNarrower(child, parent, inside)).toEqual([
    { at: "/entitlement/hazards", what: "the parent itself may not: flood" },
  ]);
  expect(checkNarrower({ ...parent, areas: ["QN"] }, parent, inside)).toHaveLength(1);
});
