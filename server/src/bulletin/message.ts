// The frozen message: what every device receives, the same bytes for everyone. It is made once, at
// issue, from what was approved and the closed list of what only issue can know. Items are named
// here and fetched; a shape too large for the frame is fetched too (the communes are always here).
import type { ApprovalSubject } from "@loa/model/approval-hash.ts";
import { FORMS, type Forms } from "@loa/model/bulletin.ts";
import type { Purpose } from "@loa/model/chain-step.ts";
import { formatLocalTime, parseInstant } from "@loa/model/local-time.ts";
import { Problem } from "@loa/model/problem.ts";
import { type Language, LANGUAGES } from "@loa/model/text.ts";
import type { BulletinPlaces } from "./bulletin-deps.ts";
import { requireApprovedArea } from "./message-area.ts";

/** Goes into the approval hash: raise it with any change of what this file makes. */
export const RENDERER_VERSION = 2;
/** One pre-framed buffer for all sockets; 64 KiB may be buffered for each. */
export const FRAME_BYTES_MAX = 16 * 1024;
/** `event: warning`, `id: w<seq>.n<seq>` with two numbers of 19 digits, `data: `, line ends. */
export const FRAME_OVERHEAD_BYTES = 96;
/** A ring with more points is fetched instead; protects the frame. */
export const MESSAGE_POLYGON_POINTS_MAX = 120;
/** More communes than this are named by the units that they fill, where they fill one. */
export const MESSAGE_AREAS_MAX = 150;

/** What only issue can know. */
export interface IssueFacts {
  readonly dispatchId: string;
  readonly identifier: string;
  readonly sent: Date;
  readonly hash: Uint8Array;
  readonly signature: Uint8Array;
  readonly keyId: string;
}

/** Whom a message is for, and until when it holds if that is not the bulletin's own expiry. */
export interface Addressing {
  readonly purpose: Purpose;
  readonly expiresAt?: Date;
}

/**
 * A message for the people of one purpose. To whom the bulletin is for, it carries the words for
 * residents and for the concerned; the device knows its own places and shows the right ones.
 * @throws {Problem} message-too-large, when its frame would exceed FRAME_BYTES_MAX.
 * @throws {AreaFault} when what was encoded names other places than were approved.
 */
export function renderMessage(
  subject: ApprovalSubject,
  facts: IssueFacts,
  places: BulletinPlaces,
  { purpose, expiresAt }: Addressing = { purpose: "main" },
): Uint8Array {
  const { content, wordings } = subject;
  const { polygon } = content.target;
  const isLeft = purpose === "left";
  const message = {
    v: 1,
    dispatch: facts.dispatchId,
    bulletin: subject.bulletinId,
    identifier: facts.identifier,
    type: content.type,
    msgType: subject.msgType,
    step: subject.step,
    purpose,
    kind: content.kind,
    nature: content.nature,
    account: { handle: subject.account.handle, name: subject.account.name },
    incident: subject.incident,
    number: content.number,
    sent: formatLocalTime(facts.sent),
    expires: formatLocalTime(expiresAt ?? (parseInstant(content.expiresAt) as Date)),
    references: subject.referenceIds,
    areas: areasOf(subject, places),
    ...(polygon !== undefined && polygon.length <= MESSAGE_POLYGON_POINTS_MAX && { polygon }),
    hazard: content.hazard,
    riskLevel: content.riskLevel,
    texts: Object.fromEntries(
      LANGUAGES.map((language) => [
        language,
        isLeft ? leftForms(subject, language) : formsOf(subject, language),
      ]),
    ),
    ...(!isLeft && { concerned: wordings.concerned }),
    items: isLeft ? [] : content.items.map(({ category, title }) => ({ category, title })),
    hash: Buffer.from(facts.hash).toString("hex"),
    signature: Buffer.from(facts.signature).toString("base64url"),
    keyId: facts.keyId,
  };
  // JSON.stringify escapes line ends, so the message is one line of the event stream.
  const bytes = Buffer.from(JSON.stringify(message), "utf8");
  const size = bytes.byteLength + FRAME_OVERHEAD_BYTES;
  if (size > FRAME_BYTES_MAX)
    throw new Problem(
      "message-too-large",
      `The message takes ${size} bytes with its frame, ${FRAME_BYTES_MAX} are allowed: shorten the ` +
        "full or spoken form, name fewer items, or name larger areas.",
    );
  requireApprovedArea(bytes, subject, places);
  return bytes;
}

/** The largest that a message of this content can become, for a trial before issue. */
export function trialFacts(subject: ApprovalSubject): IssueFacts {
  return {
    dispatchId: subject.bulletinId,
    identifier: createIdentifier(subject),
    sent: new Date(0),
    hash: new Uint8Array(32),
    signature: new Uint8Array(64),
    keyId: "0".repeat(16),
  };
}

/** CAP 1.2: no spaces, commas, `<` or `&`; unique for ever, new for each message. */
export const createIdentifier = (subject: ApprovalSubject): string =>
  `loa.${subject.account.handle}.${subject.bulletinId}`;

function formsOf(subject: ApprovalSubject, language: Language): Forms {
  const forms = subject.content.texts[language];
  return Object.fromEntries(FORMS.map((form) => [form, forms[form]])) as unknown as Forms;
}

/** The whole of what those hear whom the bulletin is not for any more. */
function leftForms({ wordings: { left } }: ApprovalSubject, language: Language): Forms {
  if (left === null) throw new Error("nothing is replaced, so nobody is left out");
  const { headline, short } = left[language];
  return { headline, short, full: short, spoken: short };
}

function areasOf({ places: approved }: ApprovalSubject, places: BulletinPlaces): string[] {
  const codes = approved.communes.map((commune) => commune.code);
  if (codes.length <= MESSAGE_AREAS_MAX) return codes;
  const whole = new Set(
    approved.communes.filter(({ villages }) => villages === null).map(({ code }) => code),
  );
  const named = new Set<string>();
  const filled = new Map<number, boolean>();
  for (const code of codes) named.add(largestFilled(code, whole, filled, places));
  return [...named];
}

/** The code of the largest unit around a commune of which every commune is meant. */
function largestFilled(
  code: string,
  whole: ReadonlySet<string>,
  filled: Map<number, boolean>,
  places: BulletinPlaces,
): string {
  let largest = code;
  let unit = places.byId(places.byCode(code)?.id ?? -1);
  while (unit !== undefined && unit.parentId !== null) {
    const { parentId } = unit;
    let isFilled = filled.get(parentId);
    if (isFilled === undefined) {
      isFilled = places.communesUnder(parentId).every((commune) => whole.has(commune.code));
      filled.set(parentId, isFilled);
    }
    unit = isFilled ? places.byId(parentId) : undefined;
    if (unit !== undefined) largest = unit.code;
  }
  return largest;
}
