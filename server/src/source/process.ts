// What follows from a message that was read without an error, is new, and is its source's own: a draft
// of the source's agency, the cancel of what it takes back, or a bulletin at once under a standing
// order. Nothing follows from what is not meant for the public, or came too late.
import { createHash } from "node:crypto";
import type { CapMessage, CapProblem } from "@loa/cap/message.ts";
import { type CapDraft, draftFromCap } from "@loa/model/cap-draft.ts";
import { Problem } from "@loa/model/problem.ts";
import { cleanText } from "@loa/model/text.ts";
import { createBulletin } from "../bulletin/bulletin.ts";
import { CANCEL_REASON_MAX, cancelBulletin } from "../bulletin/cancel.ts";
import { findLater, findPredecessors, holdBack, type Predecessors } from "./chain.ts";
import { issueAtOnce } from "./order.ts";
import type { ReceivedMessage } from "./message.ts";
import { firstInfo, type MessagePlaces, placesOfInfo } from "./places.ts";
import type { Arrival, ReceiveDeps } from "./receive.ts";
import { actorOf, type CapSource } from "./source.ts";
import type { MessageEnd } from "./store.ts";

export interface Processing {
  readonly source: CapSource;
  readonly message: CapMessage;
  readonly problems: readonly CapProblem[];
  readonly row: ReceivedMessage;
  readonly arrival: Arrival;
  readonly now: Date;
}

/** @throws {Problem} for which the message is refused. */
export async function processMessage<A>(
  deps: ReceiveDeps<A>,
  wish: Processing,
): Promise<MessageEnd> {
  const { message, row, source } = wish;
  const idle = whyIdle(message);
  if (idle !== undefined) return { state: "kept", reason: idle };
  const later = await findLater(deps.pool, row, message);
  if (later !== undefined)
    return { state: "kept", reason: `${later} took its place before it came.` };
  const before = await findPredecessors(deps.pool, source.id, message);
  const orphan = message.references.length > 0 && before.unknown.length > 0;
  const end = await (message.msgType === "Cancel"
    ? takeBack(deps, wish, before)
    : draftMessage(deps, wish, before));
  const unknown = before.unknown.slice(0, 20).join(", ");
  return {
    ...end,
    orphan,
    remarks: [
      ...(orphan ? [`It refers to what never came: ${unknown}.`] : []),
      ...(end.remarks ?? []),
    ],
  };
}

function whyIdle({ msgType, status, scope }: CapMessage): string | undefined {
  if (msgType !== "Alert" && msgType !== "Update" && msgType !== "Cancel")
    return `Nothing follows from msgType ${msgType}.`;
  if (status !== "Actual" && status !== "Exercise") return `Nothing follows from status ${status}.`;
  return scope === "Public" ? undefined : `Nothing follows from scope ${scope}.`;
}

const actorFor = ({ arrival, source }: Processing) => arrival.actor ?? actorOf(source);

async function draftMessage<A>(
  deps: ReceiveDeps<A>,
  wish: Processing,
  before: Predecessors,
): Promise<MessageEnd> {
  const { message, problems, source, row, now, arrival } = wish;
  const { settings } = source;
  const info = firstInfo(message);
  if (info === undefined) throw new Problem("cap-invalid", "It has no info.");
  const places = await placesOfInfo(deps, info, settings.areas);
  const incidentId = before.live[0]?.content.incidentId ?? null;
  const { content, remarks } = draftFromCap(
    { ...message, signatures: row.verified ? 0 : message.signatures },
    {
      now,
      type: message.status === "Exercise" ? "Exercise" : "Actual",
      // Whoever has the old one must get the new one, so it goes wherever the old one went.
      channels: [
        ...new Set([
          ...settings.channels,
          ...before.live.flatMap(({ content: old }) => old.channels),
        ]),
      ],
      audienceRule: settings.audienceRule,
      target: places.target,
      incidentId,
    },
  );
  if (!settings.hazards.includes(content.hazard))
    throw new Problem("not-entitled", `The source may not speak of ${content.hazard}.`);
  const looked = [
    ...remarks,
    ...places.remarks,
    ...partsRemark(message, info.language),
    ...problems.filter(({ level }) => level === "warning").map(tellWarning),
  ];
  const tried = await issueAtOnce(deps, source, {
    id: row.id,
    message,
    content,
    places,
    isAuthentic: arrival.via !== "hand" && (row.verified || arrival.via === "push"),
    isMended: problems.some(({ repair }) => repair !== undefined),
    now,
  });
  if (tried !== undefined && "issued" in tried)
    return { state: "issued", remarks: looked, bulletinIds: [tried.issued] };
  if (tried !== undefined) looked.push(`It was not issued at once: ${tried.why}.`);
  looked.push(...(await holdBack(deps, actorFor(wish), before.unissued, message.identifier)));
  return writeDraft(deps, wish, { content, remarks: looked }, before, places);
}

async function writeDraft<A>(
  deps: ReceiveDeps<A>,
  wish: Processing,
  { content, remarks }: CapDraft,
  { live }: Predecessors,
  places: MessagePlaces,
): Promise<MessageEnd> {
  const { source, row } = wish;
  const { accountId } = source;
  const mine = live.filter(
    (old) =>
      old.content.incidentId === content.incidentId &&
      old.content.type === content.type &&
      old.agencyId === source.agencyId,
  );
  const create = (updates: readonly string[]) =>
    createBulletin(deps, actorFor(wish), { accountId, content, updates }, row.id);
  const told = [...remarks, `It comes down to ${places.codes.length} communes.`];
  const foreign = live.filter((old) => !mine.includes(old));
  if (foreign.length > 0)
    told.push(
      `It is about other bulletins too; choose: ${foreign.map(({ id }) => id).join(", ")}.`,
    );
  const updates = mine.map(({ id }) => id);
  try {
    await create(updates);
  } catch (fault) {
    const isAboutUpdates =
      fault instanceof Problem && ["bulletin-invalid", "bulletin-state"].includes(fault.code);
    if (!isAboutUpdates || updates.length === 0) throw fault;
    await create([]);
    told.push(`It could not be tied to ${updates.join(", ")}: ${fault.message}`);
  }
  return { state: "drafted", remarks: told, bulletinIds: [row.id] };
}

/** A draft of a Cancel for each bulletin in force; what was not issued goes back to its authors. */
async function takeBack<A>(
  deps: ReceiveDeps<A>,
  wish: Processing,
  { live, unissued }: Predecessors,
): Promise<MessageEnd> {
  const { message, row } = wish;
  const actor = actorFor(wish);
  const remarks = await holdBack(deps, actor, unissued, message.identifier);
  const line = (text: string): string => cleanText(text, { max: CANCEL_REASON_MAX, lines: false });
  const reason = {
    vi: line(`Nguồn phát đã thu hồi bản tin (${message.identifier})`),
    en: line(`The source has withdrawn its message (${message.identifier})`),
  };
  if (message.note) remarks.push(`The source says: ${message.note.slice(0, 500)}`);
  const bulletinIds: string[] = [];
  for (const old of live) {
    try {
      const id = derivedId(row.id, old.id);
      await cancelBulletin(deps, actor, old.id, reason, id);
      bulletinIds.push(id);
    } catch (fault) {
      if (!(fault instanceof Problem)) throw fault;
      remarks.push(`${old.id} was not cancelled: ${fault.message}`);
    }
  }
  return bulletinIds.length > 0
    ? { state: "drafted", remarks, bulletinIds }
    : { state: "kept", remarks, reason: "Nothing that it takes back is in force here." };
}

/** The same for the same two, so that a repeat makes no second Cancel: a UUIDv8. */
function derivedId(messageId: string, bulletinId: string): string {
  const bytes = createHash("sha256").update(`${messageId} ${bulletinId}`).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function partsRemark({ infos }: CapMessage, language: string): string[] {
  const parts = infos.filter((info) => info.language === language).length;
  return parts > 1
    ? [`It has ${parts} parts; only the first, with its places, is in the draft.`]
    : [];
}

const tellWarning = ({ rule, line, message }: CapProblem): string =>
  `line ${Math.max(1, line)}: ${rule}, ${message}`;
