import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { CapInfo, CapMessage } from "../message.ts";
import { readCap } from "../read.ts";
import { LOUDNESSES, loudnessOf } from "./loudness.ts";
import { HAZARD_LEVELS, RISK_COLOURS, riskRange } from "./risk.ts";

const read = (name: string): { message: CapMessage; info: CapInfo } => {
  const { message } = readCap(readFileSync(new URL(`../../fixtures/${name}`, import.meta.url)));
  const info = message?.infos[0];
  if (message === undefined || info === undefined) throw new Error(`${name} has no info`);
  return { message, info };
};
const flood = read("loa-flash-flood-order.xml");
const typhoon = read("song-lua-typhoon.xml");
const night = new Date("2026-09-08T01:40:00+07:00");

test("the worst flash flood is not quieter than a middling storm", () => {
  const levelOf = ({ info }: typeof flood): number =>
    Number(info.parameters.find(({ valueName }) => valueName === "loa.riskLevel")?.value);
  expect(levelOf(flood)).toBeLessThan(levelOf(typhoon));
  const early = new Date("2026-09-07T08:00:00+07:00");
  const loud = (each: typeof flood, now: Date): number =>
    LOUDNESSES.indexOf(loudnessOf(each.message, each.info, now));
  expect(loud(flood, night)).toBeGreaterThan(loud(typhoon, early));
});

test("time that runs out makes the same order an alarm", () => {
  const at = (time: string) => loudnessOf(typhoon.message, typhoon.info, new Date(time));
  expect(at("2026-09-07T08:00:00+07:00")).toBe("urgent");
  expect(at("2026-09-07T14:30:00+07:00")).toBe("alarm");
});

test.each<[string, Partial<CapMessage>, Partial<CapInfo>, string]>([
  ["an exercise wakes nobody", { status: "Exercise" }, {}, "normal"],
  ["a test wakes nobody", { status: "Test" }, {}, "normal"],
  ["a cancel is told as a message", { msgType: "Cancel" }, {}, "normal"],
  ["what is over makes no sound", {}, { urgency: "Past" }, "quiet"],
  ["preparing at once sounds", {}, { responseTypes: ["Prepare"] }, "urgent"],
  ["watching is a message", {}, { responseTypes: ["Monitor"] }, "normal"],
  ["all clear is a message", {}, { responseTypes: ["AllClear"] }, "normal"],
])("%s", (_, message, info, loudness) => {
  expect(loudnessOf({ ...flood.message, ...message }, { ...flood.info, ...info }, night)).toBe(
    loudness,
  );
});

test("levels have the colours and ranges of the decision", () => {
  expect(Object.values(RISK_COLOURS).map(({ vi }) => vi)).toEqual([
    "xanh dương nhạt",
    "vàng nhạt",
    "da cam",
    "đỏ",
    "tím",
  ]);
  expect([HAZARD_LEVELS.storm, HAZARD_LEVELS["flash-flood"], HAZARD_LEVELS.landslide]).toEqual([
    [3, 5],
    [1, 3],
    [1, 3],
  ]);
  expect(riskRange("flash-flood", true)).toEqual([1, 5]);
  expect(riskRange("storm", true)).toEqual([3, 5]);
  expect(riskRange("epidemic", false)).toBeNull();
});
