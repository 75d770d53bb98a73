import { expect, test } from "vitest";
import { type ApprovalSubject, approvalText, ISSUE_ONLY } from "./approval-hash.ts";
import { typhoonContent } from "./typhoon-content.ts";

const subject = (): ApprovalSubject => ({
  bulletinId: "01900000-0000-7000-8000-000000000001",
  msgType: "Update",
  step: "update",
  referenceIds: ["01900000-0000-7000-8000-000000000000"],
  unknownReferences: ["met@song-lua.example,SL-9,2026-11-24T02:00:00+07:00"],
  account: { id: "a", handle: "songlua", name: { vi: "Tỉnh Sông Lụa", en: "Sông Lụa province" } },
  incident: { id: "i", hazard: "storm", name: { vi: "Bão số 9", en: "Typhoon No. 9" } },
  content: typhoonContent({
    type: "Exercise",
    target: {
      areas: ["SL001"],
      zones: ["SL-Z1"],
      polygon: [
        [106, 20],
        [106.1, 20],
        [106.1, 20.1],
        [106, 20],
      ],
      rule: { kind: "share", atLeast: 0.25 },
    },
    channels: ["live", "loopback"],
    now: new Date("2026-11-24T02:00:00Z"),
  }),
  places: {
    packs: [{ name: "song-lua", validFrom: "2025-07-01" }],
    communes: [
      { code: "SL001", villages: null },
      { code: "SL002", villages: ["SL002-01", "SL002-02"] },
    ],
  },
  wordings: {
    concerned: {
      vi: { headline: "Nơi bạn quan tâm", short: "Gọi cho người thân." },
      en: { headline: "A place you care about", short: "Call your relatives." },
    },
    left: {
      vi: { headline: "Không còn áp dụng", short: "Bản tin số 9 không còn áp dụng." },
      en: { headline: "No longer for you", short: "Bulletin 9 no longer concerns you." },
    },
  },
  rendererVersion: 1,
});

/** Every leaf of a value, as a function that changes just that leaf in a copy. */
function* changes(value: unknown, path: string[] = []): Generator<string[]> {
  if (typeof value === "object" && value !== null)
    for (const [key, member] of Object.entries(value)) yield* changes(member, [...path, key]);
  else yield path;
}

function changed(path: readonly string[]): ApprovalSubject {
  const copy = structuredClone(subject()) as unknown as Record<string, unknown>;
  let place = copy;
  for (const key of path.slice(0, -1)) place = place[key] as Record<string, unknown>;
  const last = path.at(-1) as string;
  const old = place[last];
  place[last] = typeof old === "number" ? old + 1 : typeof old === "string" ? `${old}x` : ["x"];
  return copy as unknown as ApprovalSubject;
}

test("a change of any one value changes the text that is approved", () => {
  const text = approvalText(subject());
  const paths = [...changes(subject())];
  expect(paths.length).toBeGreaterThan(60);
  const unseen = paths.filter((path) => approvalText(changed(path)) === text);
  expect(unseen).toEqual([]);
});

test("one village less, one item less, one channel less: another text", () => {
  const base = subject();
  const text = approvalText(base);
  const { content, places } = base;
  const others: ApprovalSubject[] = [
    { ...base, places: { ...places, communes: places.communes.slice(1) } },
    { ...base, content: { ...content, items: content.items.slice(1) } },
    { ...base, content: { ...content, channels: ["live"] } },
    { ...base, incident: null },
    { ...base, referenceIds: [] },
  ];
  for (const other of others) expect(approvalText(other)).not.toBe(text);
});

test("the order of communes, packs and references means nothing", () => {
  const base = subject();
  const turned = { ...base.places, communes: base.places.communes.toReversed() };
  expect(approvalText({ ...base, places: turned })).toBe(approvalText(base));
});

test("what only issue can know is not part of it", () => {
  const keys = Object.keys(JSON.parse(approvalText(subject())) as object);
  for (const key of ISSUE_ONLY) expect(keys).not.toContain(key);
});
