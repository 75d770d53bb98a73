import { expect, test } from "vitest";
import { barLine } from "./progress-bar.ts";
import { formatFields, formatTable } from "./table.ts";

test("words stand to the left, figures to the right, Vietnamese in step", () => {
  const table = formatTable(
    ["Commune", "People"],
    [
      ["Phường Bến Lụa", 38_909],
      ["Xã Đá Dựng", 8_160],
      ["Khác", null],
    ],
  );
  expect(table.split("\n")).toEqual([
    "Commune         People",
    "──────────────  ──────",
    "Phường Bến Lụa  38,909",
    "Xã Đá Dựng       8,160",
    "Khác                 –",
  ]);
});

test("fields stand under one another", () => {
  expect(
    formatFields([
      ["State", "issued"],
      ["People", 1_000],
    ]),
  ).toBe("State   issued\nPeople  1,000");
});

test("a bar says how far it is, and is never more than full", () => {
  expect(barLine("Sending", 600, 1_000)).toBe(
    `Sending  ${"█".repeat(18)}${"░".repeat(12)}  60 %  600 of 1,000`,
  );
  expect(barLine("Sending", 2_000, 1_000)).toContain("100 %");
  expect(barLine("Reading", 1_200, 0)).toBe("Reading  1,200");
});
