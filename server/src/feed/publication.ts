// What is published of one bulletin: plain data, made once from what was issued, from which every
// page and feed is rendered without the database. Names of places are kept as they were at issue,
// so that a later merger changes no old notice. It holds nobody's personal data: posts sign.
import type { BulletinContent, MsgType } from "@loa/model/bulletin.ts";
import type { ChainStep } from "@loa/model/chain-step.ts";
import type { Hazard } from "@loa/model/hazard.ts";
import type { Bilingual } from "@loa/model/text.ts";

/** Of the form below; an older form that is read must be understood for ever. */
export const PUBLICATION_VERSION = 1;

/** A unit by name: a commune, villages of one, or a larger unit of which every commune is meant. */
export interface PublishedArea {
  readonly code: string;
  readonly name: Bilingual;
  /** The unit around it, under whose name people look for it. */
  readonly within: { readonly code: string; readonly name: Bilingual } | null;
  /** Codes of the communes that it stands for. */
  readonly communes: readonly string[];
  /** Only these of the commune, or null for all of it. */
  readonly villages: readonly { readonly code: string; readonly name: Bilingual }[] | null;
}

export interface Publication {
  readonly v: typeof PUBLICATION_VERSION;
  readonly id: string;
  readonly code: string;
  readonly identifier: string;
  /** CAP's sender, as later messages will refer to it. */
  readonly sender: string;
  readonly msgType: MsgType;
  /** What it is in its chain; absent in what was published before this was kept. */
  readonly step?: ChainStep;
  readonly account: { readonly handle: string; readonly name: Bilingual };
  readonly incident: {
    readonly id: string;
    readonly hazard: Hazard;
    readonly name: Bilingual;
  } | null;
  readonly content: BulletinContent;
  /** RFC 3339 in UTC, to the millisecond. */
  readonly issuedAt: string;
  readonly expiresAt: string;
  /** Bulletins that this one replaces or takes back. */
  readonly referenceIds: readonly string[];
  readonly packs: readonly { readonly name: string; readonly validFrom: string }[];
  readonly areas: readonly PublishedArea[];
  /** Codes of everything around the communes: the province, the country. */
  readonly around: readonly string[];
  /** Hex of what was approved; the server's signature over the statement of issue, base64url. */
  readonly hash: string;
  readonly signature: string;
  readonly keyId: string;
  /** Whether the CAP document carries a signature. */
  readonly capSigned: boolean;
}

/** Of a publication that does not say it, what its message type says. */
export const stepOf = ({ step, msgType }: Pick<Publication, "step" | "msgType">): ChainStep =>
  step ?? STEP_OF_TYPE[msgType];

const STEP_OF_TYPE = {
  Alert: "alert",
  Update: "update",
  Cancel: "cancel",
} as const satisfies Record<MsgType, ChainStep>;

/** The two shelves that never mix: what concerns people, and what is exercise or test. */
export type Shelf = "alerts" | "exercises";

export const shelfOf = ({ content }: Pick<Publication, "content">): Shelf =>
  content.type === "Actual" ? "alerts" : "exercises";

/** The invented province of demonstrations and drills: its pages say that it does not exist. */
export const INVENTED_PACK = "song-lua";

export const isInvented = ({ packs }: Pick<Publication, "packs">): boolean =>
  packs.some(({ name }) => name === INVENTED_PACK);

interface Ended {
  readonly at: Date;
  /** Short code and step of what ended it. */
  readonly by: string;
  readonly step: ChainStep;
}

/** What it is to its readers at an instant. */
export type PublicState =
  | { readonly kind: "in-force" }
  /** An update, correction or last bulletin took its place. */
  | ({ readonly kind: "replaced" } & Ended)
  /** It was taken back. */
  | ({ readonly kind: "cancelled" } & Ended)
  | { readonly kind: "expired"; readonly at: Date };
