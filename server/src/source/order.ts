// A message that goes out at once, because two people signed beforehand that this source may: a
// standing order that names it. The order's text goes out, with its blanks filled from the message;
// the message itself does not. Whatever does not fit to the letter becomes a draft, with the reason.
import type { CapInfo, CapMessage } from "@loa/cap/message.ts";
import type { BulletinContent } from "@loa/model/bulletin.ts";
import { parseInstant } from "@loa/model/local-time.ts";
import { Problem } from "@loa/model/problem.ts";
import type { Blank, BlankValue } from "@loa/model/standing-order.ts";
import type { Bilingual, Language } from "@loa/model/text.ts";
import { useStandingOrder } from "../bulletin/order-use.ts";
import type { IssueDeps } from "../bulletin/bulletin-deps.ts";
import type { StandingOrder } from "../bulletin/standing-order.ts";
import type { Pool } from "../db/connection.ts";
import { firstInfo, type MessagePlaces } from "./places.ts";
import { actorOf, type CapSource } from "./source.ts";

/** An older message no longer goes out by itself: somebody may be playing it again. */
export const AT_ONCE_AGE_MAX_MS = 30 * 60_000;
/** Clocks of others may be ahead by so much. */
export const AT_ONCE_AHEAD_MAX_MS = 5 * 60_000;

export interface AtOnce {
  readonly id: string;
  readonly message: CapMessage;
  readonly content: BulletinContent;
  readonly places: MessagePlaces;
  /** The source was recognised: by a pinned key, or by its own key to this installation. */
  readonly isAuthentic: boolean;
  /** A fault of it was mended while it was read. */
  readonly isMended: boolean;
  readonly now: Date;
}

/** Issued, or why not; undefined when no order is meant for the source. */
export async function issueAtOnce<A>(
  deps: IssueDeps<A>,
  source: CapSource,
  wish: AtOnce,
): Promise<{ readonly issued: string } | { readonly why: string } | undefined> {
  // A crash after the issue: it went out, whatever holds of the order or the message by now.
  const { rowCount } = await deps.pool.query(
    "SELECT 1 FROM standing_order_use WHERE bulletin_id = $1",
    [wish.id],
  );
  if (rowCount === 1) return { issued: wish.id };
  const orders = await selectOrders(deps.pool, source);
  if (orders.length === 0) return undefined;
  const [order, ...others] = orders.filter(
    ({ body }) => body.template.hazard === wish.content.hazard,
  );
  if (order === undefined) return { why: `no standing order is for ${wish.content.hazard}` };
  if (others.length > 0) return { why: `${others.length + 1} standing orders could be meant` };
  const why = whyNot(order, wish);
  if (why !== undefined) return { why };
  const { content, places } = wish;
  try {
    await useStandingOrder(
      deps,
      actorOf(source),
      order.id,
      {
        values: fillBlanks(order.body.blanks, wish.message),
        areas: places.codes,
        riskLevel: content.riskLevel,
        source: content.source,
        incidentId: null,
        expiresAt: content.expiresAt,
      },
      wish.id,
    );
    return { issued: wish.id };
  } catch (fault) {
    if (!(fault instanceof Problem)) throw fault;
    const faults = fault.faults.map(({ at, what }) => `${at} ${what}`).slice(0, 10);
    return { why: [fault.message, ...faults].join(" ") };
  }
}

function whyNot({ body }: StandingOrder, wish: AtOnce): string | undefined {
  const { message, content, places, now } = wish;
  const ageMs = now.getTime() - (parseInstant(message.sent)?.getTime() ?? 0);
  const info = firstInfo(message);
  if (!wish.isAuthentic) return "nothing proves that the message is the source's";
  if (wish.isMended) return "a fault of it was mended";
  if (message.msgType !== "Alert" || message.references.length > 0)
    return "it follows another message";
  if (body.template.type !== content.type) return `the order is for type ${body.template.type}`;
  if (ageMs > AT_ONCE_AGE_MAX_MS) return "it was sent too long ago";
  if (ageMs < -AT_ONCE_AHEAD_MAX_MS) return "it was sent in the future";
  if (info?.expires === undefined || parseInstant(info.expires)?.getTime() !== expiryMs(content))
    return "its expiry cannot be kept";
  return places.isWhole ? undefined : "its places cannot be kept as they are";
}

const expiryMs = ({ expiresAt }: BulletinContent): number | undefined =>
  parseInstant(expiresAt)?.getTime();

/** Orders that name the source, and are neither revoked nor run out. */
async function selectOrders(pool: Pool, source: CapSource): Promise<StandingOrder[]> {
  const { rows } = await pool.query<StandingOrder>(
    `SELECT id, body FROM standing_order
     WHERE agency_id = $1 AND account_id = $2 AND body->>'source' = $3
       AND revoked_at IS NULL AND expires_at > now()`,
    [source.agencyId, source.accountId, source.id],
  );
  return rows;
}

/**
 * A blank is filled by the parameter of its name, or by the part of the message that is called so.
 * What is not there stays away, and using the order is then refused.
 */
export function fillBlanks(
  blanks: Readonly<Record<string, Blank>>,
  message: CapMessage,
): Record<string, BlankValue> {
  const values: Record<string, BlankValue> = {};
  for (const [name, blank] of Object.entries(blanks)) {
    const value = valueOf(blank, wordsOf(message, name));
    if (value !== undefined) values[name] = value;
  }
  return values;
}

function valueOf(blank: Blank, words: Partial<Bilingual>): BlankValue | undefined {
  const { vi, en } = words;
  const word = vi ?? en;
  if (word === undefined) return undefined;
  if (blank.kind === "text") return vi === undefined || en === undefined ? undefined : { vi, en };
  // Two languages that disagree are not asked which is right.
  if (blank.kind !== "choice" && vi !== undefined && en !== undefined && vi !== en)
    return undefined;
  if (blank.kind === "number") return /^-?\d+(?:\.\d+)?$/u.test(word) ? Number(word) : undefined;
  if (blank.kind === "time") return word;
  const chosen = blank.choices.findIndex((choice) =>
    vi === undefined
      ? choice.en === en
      : choice.vi === vi && (en === undefined || choice.en === en),
  );
  return chosen === -1 ? undefined : chosen;
}

function wordsOf({ infos }: CapMessage, name: string): Partial<Bilingual> {
  const words: { vi?: string; en?: string } = {};
  for (const language of ["vi", "en"] as const satisfies readonly Language[]) {
    const info = infos.find((each) => each.language.toLowerCase().split("-")[0] === language);
    const text = info && (parameterOf(info, name) ?? partOf(info, name));
    if (text) words[language] = text;
  }
  return words;
}

const parameterOf = ({ parameters }: CapInfo, name: string): string | undefined =>
  parameters.find(({ valueName }) => valueName.trim() === name)?.value.trim();

const PARTS = ["event", "headline", "instruction", "onset", "effective", "expires"] as const;
function partOf(info: CapInfo, name: string): string | undefined {
  const part = PARTS.find((each) => each === name);
  return part && info[part]?.trim();
}
