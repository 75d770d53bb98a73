import { existsSync, readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { anyMessage } from "../test/any-message.ts";
import type { CapMessage } from "./message.ts";
import { readCap } from "./read.ts";
import { writeCap } from "./write.ts";

const fixture = (name: string): CapMessage => {
  const { message } = readCap(readFileSync(new URL(`../fixtures/${name}`, import.meta.url)));
  if (message === undefined) throw new Error(`${name} is no message`);
  return message;
};
const typhoon = fixture("song-lua-typhoon.xml");

/** What reading gives of what was written. */
function again(message: CapMessage): CapMessage | undefined {
  const written = writeCap(message);
  if (!written.ok) throw new Error(JSON.stringify(written.problems));
  return readCap(written.bytes).message;
}

test("any message that is written is read as the same", () => {
  fc.assert(
    fc.property(anyMessage, (message) => {
      expect(again(message)).toEqual(message);
    }),
    { numRuns: 300 },
  );
});

test("what is written looks as a person would write it", () => {
  const written = writeCap(fixture("song-lua-cancel.xml"));
  expect(written.ok && written.xml).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>SLUA.2026.09.HUY-01</identifier>
  <sender>kttv@songlua.example</sender>
  <sent>2026-09-07T15:00:00+07:00</sent>
  <status>Actual</status>
  <msgType>Cancel</msgType>
  <scope>Public</scope>
  <note>Thu hồi bản tin số SLUA-09/KC-05: nêu sai giờ bão vào bờ.</note>
  <references>kttv@songlua.example,SLUA.2026.09.KC-05,2026-09-07T14:00:00+07:00</references>
</alert>
`);
});

describe("nothing is written that does not conform, or would lose something", () => {
  test.each<[string, string, Partial<CapMessage>]>([
    ["a sender with a space", "A2", { sender: "Đài Khí tượng" }],
    ["an instant in UTC by Z", "A3", { sent: "2026-09-07T07:00:00Z" }],
    ["a scope of one's own", "A6", { scope: "Everybody" }],
    ["an Update of nothing", "A11", { references: [] }],
    ["a control character", "X1", { note: "\u0007" }],
    ["half of a surrogate pair", "X1", { note: "\ud83c" }],
    ["an empty note", "X8", { note: "" }],
    [
      "an element that CAP does not know",
      "X5",
      { unknown: [{ path: "/alert/x[1]", xml: "<x/>" }] },
    ],
    [
      "an open ring",
      "R2",
      { infos: typhoon.infos.map((info) => ({ ...info, areas: [openArea()] })) },
    ],
  ])("%s: %s", (_, rule, change) => {
    const written = writeCap({ ...typhoon, ...change });
    expect(written.ok ? [] : written.problems[0]?.rule).toBe(rule);
  });

  function openArea() {
    const polygons = [
      [
        [13, 109],
        [14, 109],
        [14, 110],
        [13, 110],
      ],
    ] as const;
    return { areaDesc: "Ven biển", polygons, circles: [], geocodes: [] };
  }
});

const corpus = new URL("../../../shared/cap-corpus/valid/", import.meta.url);

describe.skipIf(!existsSync(corpus))("real messages", () => {
  const names = existsSync(corpus) ? readdirSync(corpus) : [];
  test.each(names)("%s is written and read as the same", (name) => {
    const { message } = readCap(readFileSync(new URL(name, corpus)));
    if (message === undefined) throw new Error("not read");
    expect(again(message)).toEqual({ ...message, signatures: 0 });
  });
});
