import { expect, test } from "vitest";
import { importedId, openIds, uuidOf } from "./imported-id.ts";

test.each([
  ["HN-000017", "91bb65e3-b260-8eb2-a26d-bc4dae9183ef"],
  ["Xã Lụa 12345", "4cf693ce-c19e-8a0f-899d-ba475a8ba7be"],
  ["𠀀99999", "906035d3-422a-8b78-9155-27dcc2746893"],
  ["x1234567890123456789", "1cee6598-7ba3-851f-a884-d05b0a2ba79d"],
  ["ẫ".repeat(200), "869a396f-2eda-8006-b850-fad841f531e2"],
])("the id of %s is what it has always been: registries hold it", (ref, id) => {
  expect(importedId("commune list", ref)).toBe(id);
});

test("ids are made one after the other, wherever a reference lies in a list", () => {
  const idOf = openIds("commune list");
  const list = Buffer.from("ẫ".repeat(200) + "HN-000017,Xã Lụa 12345");
  const [hanoi, comma] = [list.indexOf("HN"), list.indexOf(",")];
  expect(uuidOf(Buffer.from(idOf(list, 0, hanoi)))).toBe("869a396f-2eda-8006-b850-fad841f531e2");
  expect(uuidOf(Buffer.from(idOf(list, hanoi, comma)))).toBe(
    "91bb65e3-b260-8eb2-a26d-bc4dae9183ef",
  );
  expect(uuidOf(Buffer.from(idOf(list, comma + 1, list.length)))).toBe(
    "4cf693ce-c19e-8a0f-899d-ba475a8ba7be",
  );
});

test("references that differ in the last digits have neighbouring ids", () => {
  const [one, next, far] = ["HN-000017", "HN-000018", "HN-900018"].map((ref) =>
    importedId("commune list", ref).slice(0, 8),
  );
  expect(one).toBe(next);
  expect(one).not.toBe(far);
});
