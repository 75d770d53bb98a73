import { open } from "node:fs/promises";
import { expect, test } from "vitest";
import { openVitals } from "./vitals.ts";

const FILES = 100;

test("open files are counted, each as it is opened and closed", async () => {
  const vitals = openVitals();
  const before = vitals.read().openFiles as number;
  const files = await Promise.all(Array.from({ length: FILES }, () => open(import.meta.filename)));
  const during = vitals.read().openFiles as number;
  await Promise.all(files.map((file) => file.close()));
  const after = vitals.read().openFiles as number;
  vitals.close();
  expect([during - before, after - before]).toEqual([FILES, 0]);
});
