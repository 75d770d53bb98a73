// All publications of this installation, in memory: which there are, what each of them is at an
// instant, and what belongs together. It asks no database and no clock but the one it is given, so
// that what has expired is gone in time also while the database is away.
import { createHash } from "node:crypto";
import type { ChainStep } from "@loa/model/chain-step.ts";
import {
  isInvented,
  type Publication,
  type PublicState,
  type PublishedArea,
  type Shelf,
  shelfOf,
  stepOf,
} from "./publication.ts";

/**
 * Publications held whole; older ones are read from disk. Some 20 KiB each beside their areas, which
 * they share: 40 MiB.
 */
export const WHOLE_MAX = 2_000;
/** Distinct areas that publications share; beyond it the next ones begin anew. */
const SHARED_AREAS_MAX = 20_000;
/** How long what has ended stays in the feeds, so that who was away learns that it ended. */
export const ENDED_KEPT_DAYS = 14;
const ENDED_KEPT_MS = ENDED_KEPT_DAYS * 86_400_000;

/** What is kept in memory of every publication for ever: some 300 bytes. */
export interface Entry {
  readonly id: string;
  readonly code: string;
  readonly shelf: Shelf;
  readonly msgType: Publication["msgType"];
  readonly step: ChainStep;
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  readonly referenceIds: readonly string[];
  readonly incidentId: string | null;
  readonly handle: string;
  readonly isInvented: boolean;
}

/** Which of the publications a list is about. */
export interface Choice {
  readonly shelf: Shelf;
  readonly handle?: string | undefined;
  readonly incidentId?: string | undefined;
  readonly area?: AreaChoice | undefined;
}

/** A unit, and what tells whether a publication is for it. */
export interface AreaChoice {
  readonly code: string;
  /** The commune around a village, which a bulletin for the whole commune means as well. */
  readonly commune: string | undefined;
}

export class Archive {
  /** In order of issue. */
  readonly #entries: Entry[] = [];
  readonly #byId = new Map<string, Entry>();
  readonly #byCode = new Map<string, Entry>();
  /** By the id of what was referred to: who did so first while it was in force. */
  readonly #endedBy = new Map<string, Entry>();
  readonly #referredBy = new Map<string, Entry[]>();
  readonly #whole = new Map<string, Publication>();
  readonly #areas = new Map<string, PublishedArea>();
  readonly #read: (code: string) => Publication | undefined;
  #version = 0;
  #nextChangeMs = 0;

  /** @param read reads a publication that is not in memory any more. */
  constructor(read: (code: string) => Publication | undefined) {
    this.#read = read;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** False when it is known already. */
  add(publication: Publication): boolean {
    if (this.#byId.has(publication.id)) return false;
    const entry = toEntry(publication);
    let at = this.#entries.length;
    while (at > 0 && isAfter(this.#entries[at - 1] as Entry, entry)) at--;
    this.#entries.splice(at, 0, entry);
    this.#byId.set(entry.id, entry);
    this.#byCode.set(entry.code, entry);
    const areas = publication.areas.map((area) => this.#share(area));
    this.#whole.set(entry.code, { ...publication, areas });
    if (this.#whole.size > WHOLE_MAX) {
      const oldest = this.#entries.find(({ code }) => this.#whole.has(code));
      if (oldest) this.#whole.delete(oldest.code);
    }
    for (const id of entry.referenceIds) {
      this.#referredBy.set(id, [...(this.#referredBy.get(id) ?? []), entry]);
      const known = this.#endedBy.get(id);
      if (!known || isAfter(known, entry)) this.#endedBy.set(id, entry);
    }
    this.#version++;
    this.#nextChangeMs = 0;
    return true;
  }

  /**
   * Changes whenever something that a page or feed shows may have changed: something was published,
   * or expired, or has left the feeds.
   */
  versionAt(now: Date): number {
    const nowMs = now.getTime();
    if (nowMs < this.#nextChangeMs) return this.#version;
    let next = Number.POSITIVE_INFINITY;
    for (const entry of this.#entries)
      for (const change of [entry.expiresAtMs, this.endMs(entry) + ENDED_KEPT_MS])
        if (change > nowMs && change < next) next = change;
    this.#nextChangeMs = next;
    return ++this.#version;
  }

  byCode(code: string): Entry | undefined {
    return this.#byCode.get(code);
  }

  byId(id: string): Entry | undefined {
    return this.#byId.get(id);
  }

  /** Undefined only where its file is gone and the database is too. */
  publication(entry: Entry): Publication | undefined {
    return this.#whole.get(entry.code) ?? this.#read(entry.code);
  }

  /** The newest whole publications, newest first. */
  recent(max: number): Publication[] {
    const found: Publication[] = [];
    for (let i = this.#entries.length - 1; i >= 0 && found.length < max; i--) {
      const publication = this.#whole.get((this.#entries[i] as Entry).code);
      if (publication) found.push(publication);
    }
    return found;
  }

  stateAt(entry: Entry, now: Date): PublicState {
    const ender = this.#endedBy.get(entry.id);
    // What had run out before stays expired: a different thing from replaced.
    if (ender && ender.issuedAtMs < entry.expiresAtMs)
      return {
        kind: ender.msgType === "Cancel" ? "cancelled" : "replaced",
        at: new Date(ender.issuedAtMs),
        by: ender.code,
        step: ender.step,
      };
    if (entry.expiresAtMs <= now.getTime())
      return { kind: "expired", at: new Date(entry.expiresAtMs) };
    return { kind: "in-force" };
  }

  /** When it stopped, or will stop, being in force. */
  endMs(entry: Entry): number {
    return Math.min(
      entry.expiresAtMs,
      this.#endedBy.get(entry.id)?.issuedAtMs ?? Number.POSITIVE_INFINITY,
    );
  }

  /** Whether it belongs in the feeds: in force, or ended within two weeks. */
  isFed(entry: Entry, now: Date): boolean {
    return this.endMs(entry) + ENDED_KEPT_MS > now.getTime();
  }

  /** What was chosen, newest first. */
  list(choice: Choice): Entry[] {
    return this.#entries
      .filter(
        (entry) =>
          entry.shelf === choice.shelf &&
          (choice.handle === undefined || entry.handle === choice.handle) &&
          (choice.incidentId === undefined || entry.incidentId === choice.incidentId) &&
          (choice.area === undefined || this.#isFor(entry, choice.area)),
      )
      .toReversed();
  }

  newestWhere(holds: (entry: Entry) => boolean): Entry | undefined {
    return this.#entries.findLast(holds);
  }

  /** All versions: what it refers to, what refers to it, and on. In order of issue. */
  thread(entry: Entry): Entry[] {
    const found = new Set([entry]);
    for (const each of found) {
      for (const id of each.referenceIds) {
        const earlier = this.#byId.get(id);
        if (earlier) found.add(earlier);
      }
      for (const later of this.#referredBy.get(each.id) ?? []) found.add(later);
    }
    return [...found].toSorted((a, b) => (isAfter(a, b) ? 1 : -1));
  }

  /** The version of its thread to read now: in force and no Cancel, the newest. */
  current(entry: Entry, now: Date): Entry | undefined {
    return this.thread(entry).findLast(
      (each) => each.msgType !== "Cancel" && this.stateAt(each, now).kind === "in-force",
    );
  }

  /** One bulletin after the other is for the same places: a province's communes are kept once. */
  #share(area: PublishedArea): PublishedArea {
    if (this.#areas.size >= SHARED_AREAS_MAX) this.#areas.clear();
    const key = createHash("sha256").update(JSON.stringify(area)).digest("base64");
    const known = this.#areas.get(key);
    if (known) return known;
    this.#areas.set(key, area);
    return area;
  }

  #isFor(entry: Entry, { code, commune }: AreaChoice): boolean {
    const publication = this.publication(entry);
    if (!publication) return false;
    if (publication.around.includes(code)) return true;
    return publication.areas.some(
      (area) =>
        area.communes.includes(code) ||
        (commune !== undefined &&
          area.communes.includes(commune) &&
          (area.villages === null || area.villages.some((village) => village.code === code))),
    );
  }
}

const toEntry = (publication: Publication): Entry => ({
  id: publication.id,
  code: publication.code,
  shelf: shelfOf(publication),
  msgType: publication.msgType,
  step: stepOf(publication),
  issuedAtMs: Date.parse(publication.issuedAt),
  expiresAtMs: Date.parse(publication.expiresAt),
  referenceIds: publication.referenceIds,
  incidentId: publication.incident?.id ?? null,
  handle: publication.account.handle,
  isInvented: isInvented(publication),
});

/** Order of issue; of two at the same instant the ids decide. */
const isAfter = (a: Entry, b: Entry): boolean =>
  a.issuedAtMs === b.issuedAtMs ? a.id > b.id : a.issuedAtMs > b.issuedAtMs;
