import type { ApprovalSubject } from "@loa/model/approval-hash.ts";
import type { Position } from "@loa/model/target.ts";
import { typhoonContent } from "@loa/model/typhoon-content.ts";
import { expect, test } from "vitest";
import type { BulletinPlaces } from "./bulletin-deps.ts";
import {
  createIdentifier,
  FRAME_BYTES_MAX,
  MESSAGE_POLYGON_POINTS_MAX,
  renderMessage,
  trialFacts,
} from "./message.ts";

// A country of two provinces with 100 communes each.
const units = [
  { id: 1, code: "N", parentId: null },
  ...[2, 3].map((id) => ({ id, code: `P${id}`, parentId: 1 })),
  ...Array.from({ length: 200 }, (_, i) => ({
    id: 100 + i,
    code: `C${100 + i}`,
    parentId: i < 100 ? 2 : 3,
  })),
];
const places: BulletinPlaces = {
  byCode: (code) => units.find((unit) => unit.code === code),
  byId: (id) => units.find((unit) => unit.id === id),
  communesUnder: (id) =>
    units
      .filter((unit) => unit.id >= 100 && (id === 1 || unit.parentId === id))
      .map(({ code }) => ({ code, name: { vi: code, en: code } })),
};

const BRIEF = {
  vi: { headline: "Nơi bạn quan tâm", short: "Gọi cho người thân." },
  en: { headline: "A place you care about", short: "Call your relatives." },
};

function subject(codes: readonly string[], polygon?: readonly Position[]): ApprovalSubject {
  return {
    bulletinId: "01900000-0000-7000-8000-000000000001",
    msgType: "Alert",
    step: "alert",
    referenceIds: [],
    unknownReferences: [],
    account: { id: "a", handle: "songlua", name: { vi: "Sông Lụa", en: "Sông Lụa" } },
    incident: null,
    content: typhoonContent({
      type: "Actual",
      target: { areas: ["N"], zones: [], polygon, rule: { kind: "touches" } },
      channels: ["live"],
      now: new Date("2026-11-24T02:00:00Z"),
    }),
    places: { packs: [], communes: codes.map((code) => ({ code, villages: null })) },
    wordings: { concerned: BRIEF, left: null },
    rendererVersion: 1,
  };
}

function render(of: ApprovalSubject): { areas: string[]; polygon?: unknown } {
  const bytes = renderMessage(of, trialFacts(of), places);
  return JSON.parse(new TextDecoder().decode(bytes)) as { areas: string[]; polygon?: unknown };
}

const communes = units.filter(({ id }) => id >= 100).map(({ code }) => code);

test("up to 150 communes are named one by one", () => {
  expect(render(subject(communes.slice(0, 150))).areas).toEqual(communes.slice(0, 150));
});

test("of more communes, those that fill a unit are named by it, and no other place is", () => {
  expect(render(subject(communes)).areas).toEqual(["N"]);
  const [last] = communes.slice(-1) as [string];
  const most = render(subject(communes.slice(0, -1))).areas;
  expect(most).toEqual(["P2", ...communes.slice(100, -1)]);
  expect(most).not.toContain(last);
});

test("a commune of which only villages are meant does not fill its unit", () => {
  const all = subject(communes);
  const [first, ...others] = all.places.communes;
  const some = { code: first?.code ?? "", villages: ["C100-01"] };
  const part = { ...all, places: { packs: [], communes: [some, ...others] } };
  expect(render(part).areas).toEqual([...communes.slice(0, 100), "P3"]);
});

test("a shape goes along if it is small; otherwise it is fetched, never simplified", () => {
  const ring = (points: number): Position[] =>
    Array.from({ length: points }, (_, i) => [109 + Math.cos(i), 13 + Math.sin(i)] as const);
  const small = ring(MESSAGE_POLYGON_POINTS_MAX);
  expect(render(subject(["C100"], small)).polygon).toEqual(small);
  expect(render(subject(["C100"], ring(MESSAGE_POLYGON_POINTS_MAX + 1))).polygon).toBeUndefined();
});

test("a message that is let through fits one frame with the longest cursor", () => {
  const base = subject(["C100"]);
  const long = (length: number): ApprovalSubject => {
    const forms = { ...base.content.texts.vi, full: "ộ".repeat(length) };
    const { content } = base;
    return { ...base, content: { ...content, texts: { ...content.texts, vi: forms } } };
  };
  const fits = (length: number): boolean => {
    try {
      render(long(length));
      return true;
    } catch (fault) {
      if ((fault as { code?: string }).code === "message-too-large") return false;
      throw fault;
    }
  };
  let length = 0;
  for (let step = 4096; step >= 1; step /= 2) if (fits(length + step)) length += step;
  const largest = long(length);
  const message = new TextDecoder().decode(renderMessage(largest, trialFacts(largest), places));
  const seq = "9".repeat(19);
  const frame = `event: warning\nid: w${seq}.n${seq}\ndata: ${message}\n\n`;
  const bytes = new TextEncoder().encode(frame).byteLength;
  expect(bytes).toBeLessThanOrEqual(FRAME_BYTES_MAX);
  expect(bytes).toBeGreaterThan(FRAME_BYTES_MAX - 32);
});

test("the identifier is legal in CAP 1.2 and unique for each bulletin", () => {
  const identifier = createIdentifier(subject(["C100"]));
  expect(identifier).toMatch(/^[^\s,<&]+$/u);
  expect(identifier).toContain("01900000-0000-7000-8000-000000000001");
});
