// The text whose SHA-256 is what people approve: everything that will go out, and nothing else.
//
// Anything that could change what somebody receives is in it, so that a change voids the
// approval by arithmetic. The server hashes it (node:crypto), so this stays pure.
import type { Bilingual } from "./text.ts";
import type { BulletinContent, MsgType } from "./bulletin.ts";
import { canonicalJson, type CanonicalValue } from "./canonical.ts";
import type { ChainStep } from "./chain-step.ts";
import type { Hazard } from "./hazard.ts";
import type { EffectiveWordings } from "./wording.ts";

/** Of the form of ApprovalSubject; stored beside each hash. */
export const APPROVAL_HASH_VERSION = 2;

/**
 * The closed list of what only the moment of issue can know. `references` are CAP's triples of
 * sender, identifier and sent; which bulletins are meant is approved, as `referenceIds`.
 */
export const ISSUE_ONLY = ["identifier", "sent", "references", "signature"] as const;

/** What the target came down to, by codes, which mean the same in every installation. */
export interface ApprovedPlaces {
  readonly packs: readonly { readonly name: string; readonly validFrom: string }[];
  readonly communes: readonly {
    readonly code: string;
    /** Null: the whole commune. */
    readonly villages: readonly string[] | null;
  }[];
}

export interface ApprovalSubject {
  readonly bulletinId: string;
  readonly msgType: MsgType;
  readonly step: ChainStep;
  /** Bulletins that this one replaces or cancels. */
  readonly referenceIds: readonly string[];
  /** CAP's triples of messages that this installation does not have. */
  readonly unknownReferences: readonly string[];
  readonly account: { readonly id: string; readonly handle: string; readonly name: Bilingual };
  readonly incident: {
    readonly id: string;
    readonly hazard: Hazard;
    readonly name: Bilingual;
  } | null;
  readonly content: BulletinContent;
  /** What the concerned and the left out read, whoever worded it. */
  readonly wordings: EffectiveWordings;
  readonly places: ApprovedPlaces;
  /** Version of the code that makes the message of it. */
  readonly rendererVersion: number;
}

/** The canonical text to hash: UTF-8 of RFC 8785. */
export function approvalText(subject: ApprovalSubject): string {
  const { content, places, account, incident } = subject;
  return canonicalJson({
    version: APPROVAL_HASH_VERSION,
    rendererVersion: subject.rendererVersion,
    bulletinId: subject.bulletinId,
    msgType: subject.msgType,
    step: subject.step,
    // Order carries no meaning in these lists, so it may not change the hash.
    referenceIds: subject.referenceIds.toSorted(),
    unknownReferences: subject.unknownReferences.toSorted(),
    account: { id: account.id, handle: account.handle, name: bilingual(account.name) },
    incident:
      incident === null
        ? null
        : { id: incident.id, hazard: incident.hazard, name: bilingual(incident.name) },
    // The content is plain JSON by construction (bulletin.ts), so nothing of it is left out.
    content: content as unknown as CanonicalValue,
    wordings: subject.wordings as unknown as CanonicalValue,
    places: {
      packs: places.packs
        .map(({ name, validFrom }) => ({ name, validFrom }))
        .toSorted((a, b) => compare(a.name, b.name)),
      communes: places.communes
        .map(({ code, villages }) => ({ code, villages: villages && villages.toSorted() }))
        .toSorted((a, b) => compare(a.code, b.code)),
    },
  });
}

const bilingual = ({ vi, en }: Bilingual): { vi: string; en: string } => ({ vi, en });
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
