// The dispatches in force, in memory, and the one question that a connecting device puts to them:
// what is there for me that I do not have? Answered without the database, so that everybody may
// come back at once.
//
// A cursor covers what the frozen audience says this person was to get, up to its number. It does
// not cover what was told by place: whoever walks into an area has a cursor beyond its warnings
// and has still not seen them. There only the list of what the device has counts.
import { LANES, type Lane, STANDING_OF_TYPE } from "@loa/model/bulletin-type.ts";
import type { MsgType } from "@loa/model/bulletin.ts";
import { CHAIN_STEPS, type ChainStep } from "@loa/model/chain-step.ts";
import type { LiveDispatch } from "../dispatch/live-feed.ts";
import type { Logger } from "../observe/log.ts";
import type { Device } from "./connection.ts";
import { type Cursor, frameFault, frameMessage, writeCursor } from "./event.ts";
import { OrdinalSet } from "./ordinal-set.ts";

/** Dispatches that are held, ended ones included: bounds memory. The oldest ended go first. */
export const DISPATCHES_MAX = 2_048;
/** Frames of one dispatch that are kept: devices that come back at once have few cursors. */
const FRAMES_KEPT_MAX = 8;
/** A dispatch as this process knows it. */
export interface Entry {
  readonly dispatch: LiveDispatch;
  readonly msgType: MsgType;
  readonly step: ChainStep;
  /** Why it goes to nobody: it is not for the approved places, or a socket would carry something else. */
  readonly fault: string | undefined;
  state: LiveDispatch["state"];
  /** The Cancel or Update that names it, if one is known. */
  supersededBy: Entry | undefined;
  /** What tells whoever has it that it is over for them: Cancels, and messages for those left out. */
  readonly endedBy: Entry[];
  /** Who got it over a socket of this process, or says so. */
  readonly told: OrdinalSet;
  readonly frames: Map<string, Buffer>;
}

/** What a device is to be sent, in order, and what it says it has that nobody recorded. */
export interface Due {
  readonly send: readonly Entry[];
  readonly claimed: readonly Entry[];
  /** The device's cursor, as far as it can be believed. */
  readonly cursor: Cursor;
}

/** Who somebody is and where each of their devices is, as far as a dispatch may concern them. */
interface Whereabouts extends Pick<Device, "ordinal" | "places" | "standing"> {
  readonly next?: Whereabouts | undefined;
}

/** A dispatch that a device has and that is in force no more. */
export interface Ended {
  readonly dispatch: string;
  readonly how: "expired" | "replaced" | "cancelled";
}

export class InForce {
  readonly #entries = new Map<string, Entry>();
  readonly #lanes: Record<Lane, Entry[]> = { warning: [], notice: [] };
  readonly #highest: Record<Lane, number> = { warning: 0, notice: 0 };
  readonly #now: () => number;
  readonly #log: Logger;

  /** `now` is milliseconds since the Unix epoch, by the clock that dispatches expire by. */
  constructor(options: { readonly now: () => number; readonly log: Logger }) {
    this.#now = options.now;
    this.#log = options.log;
  }

  get size(): number {
    return this.#lanes.warning.length + this.#lanes.notice.length;
  }

  ids(): IterableIterator<string> {
    return this.#entries.keys();
  }

  find(dispatchId: string): Entry | undefined {
    return this.#entries.get(dispatchId);
  }

  /** The highest sequence number of a lane that is known. */
  highest(lane: Lane): number {
    return this.#highest[lane];
  }

  /** Whether it is to be told to whoever asks now. */
  isInForce(entry: Entry): boolean {
    return (
      entry.fault === undefined &&
      entry.state === "open" &&
      entry.dispatch.expiresAtMs > this.#now() &&
      entry.supersededBy?.msgType !== "Cancel"
    );
  }

  /** Takes dispatches in; answers those that are in force and were unknown, oldest first. */
  add(dispatches: readonly LiveDispatch[]): Entry[] {
    const added: Entry[] = [];
    for (const dispatch of dispatches.toSorted((a, b) => a.seq - b.seq)) {
      if (this.#entries.has(dispatch.dispatchId)) continue;
      const entry: Entry = {
        dispatch,
        ...readKind(dispatch.message),
        fault: dispatch.areaFault ?? frameFault(dispatch.lane, dispatch.message),
        state: dispatch.state,
        supersededBy: undefined,
        endedBy: [],
        told: new OrdinalSet(),
        frames: new Map(),
      };
      if (entry.fault !== undefined)
        this.#log.error(
          { dispatch: dispatch.dispatchId, fault: entry.fault },
          "not sent over live: it goes to nobody",
        );
      this.#entries.set(dispatch.dispatchId, entry);
      this.#highest[dispatch.lane] = Math.max(this.#highest[dispatch.lane], dispatch.seq);
      added.push(entry);
    }
    this.#link();
    const inForce = added.filter((entry) => this.isInForce(entry));
    for (const entry of inForce) insertBySeq(this.#lanes[entry.dispatch.lane], entry);
    this.#bound();
    return inForce;
  }

  /** What is open and goes to nobody, because something is wrong with it. */
  faulty(): Entry[] {
    return [...this.#entries.values()].filter(
      ({ fault, state }) => fault !== undefined && state === "open",
    );
  }

  /** A dispatch was cancelled, expired or sealed; answers its entry if that is news. */
  setState(dispatchId: string, state: LiveDispatch["state"]): Entry | undefined {
    const entry = this.#entries.get(dispatchId);
    if (!entry || entry.state === state) return undefined;
    entry.state = state;
    return entry;
  }

  /** Forgets what nobody needs to know any more. */
  forget(dispatchId: string): void {
    const entry = this.#entries.get(dispatchId);
    if (!entry) return;
    this.#entries.delete(dispatchId);
    this.#leaveLane(entry);
  }

  /** Takes what has expired or was cancelled out of the lanes; it stays known. */
  prune(): void {
    for (const lane of LANES)
      for (const entry of this.#lanes[lane]) if (!this.isInForce(entry)) this.#leaveLane(entry);
  }

  /** What a device that comes with a cursor, a list and places is to be sent: warnings first. */
  due(device: Device): Due {
    const claimed = this.#claimedByList(device);
    const send: Entry[] = [];
    const cursor = this.#believable(device.cursor);
    for (const lane of LANES)
      for (const entry of this.#lanes[lane]) {
        if (!this.isInForce(entry) || device.have.has(entry.dispatch.dispatchId)) continue;
        const { dispatch } = entry;
        const holds = dispatch.has(device.ordinal);
        if (holds && dispatch.seq <= cursor[lane]) {
          // A cursor moves past what was replaced and never sent, so it proves nothing of that.
          if (!entry.supersededBy && !entry.told.has(device.ordinal)) claimed.push(entry);
        } else if (holds) send.push(entry);
        else {
          const has = () => this.#hasWhatItReplaces(entry, device, cursor);
          if (this.#concernsOutside(entry, device, has)) send.push(entry);
        }
      }
    // The present state, not its history: what an update to the same person replaces is not told.
    const present = send.filter((entry) => !this.#isReplacedFor(entry, device));
    return { send: present, claimed, cursor };
  }

  /** Whether somebody who is connected is to be sent it, for any reason. */
  concerns(entry: Entry, ordinal: number, connections: Whereabouts | undefined): boolean {
    const { dispatch } = entry;
    if (dispatch.has(ordinal)) return true;
    const has = () => this.#holdsWhatItReplaces(entry, ({ told }) => told.has(ordinal));
    return connections !== undefined && this.#concernsOutside(entry, connections, has);
  }

  /**
   * What a device has that is in force no more, and how that came: it drops them, also when what
   * took their place has run out meanwhile.
   */
  ended(have: ReadonlySet<string>): Ended[] {
    const ended: Ended[] = [];
    for (const dispatch of have) {
      const entry = this.#entries.get(dispatch);
      if (!entry || this.isInForce(entry)) continue;
      const by = entry.supersededBy;
      const how =
        by === undefined
          ? entry.dispatch.expiresAtMs <= this.#now()
            ? "expired"
            : undefined
          : by.msgType === "Cancel"
            ? "cancelled"
            : "replaced";
      if (how !== undefined) ended.push({ dispatch, how });
    }
    return ended;
  }

  /**
   * Whether a dispatch concerns somebody whom its frozen audience does not hold: who is there now,
   * or who `has` what it ends. A Cancel follows what it ends to whomever that went; so does the
   * message for those left out, but never to people whom the bulletin itself is for; and a
   * correction alarms nobody by place who has the faulty text.
   */
  #concernsOutside(entry: Entry, devices: Whereabouts, has: () => boolean): boolean {
    switch (entry.dispatch.purpose) {
      case "main":
        if (isThere(entry, devices)) return !(entry.step === "correction" && has());
        return entry.msgType === "Cancel" && has();
      case "silent":
        return has();
      case "left":
        return has() && !this.#isMeantByMain(entry, devices);
    }
  }

  /** Whether the bulletin of a message for those left out is for somebody after all. */
  #isMeantByMain({ dispatch: { bulletinId } }: Entry, devices: Whereabouts): boolean {
    for (const entry of this.#entries.values()) {
      const { dispatch } = entry;
      if (dispatch.bulletinId !== bulletinId || dispatch.purpose === "left") continue;
      if (dispatch.has(devices.ordinal) || isThere(entry, devices)) return true;
    }
    return false;
  }

  /** A frame of this dispatch whose id is `cursor`; built once for all who share the cursor. */
  frame(entry: Entry, cursor: Cursor): Buffer {
    const id = writeCursor(cursor);
    const kept = entry.frames.get(id);
    if (kept) return kept;
    const frame = frameMessage(entry.dispatch.lane, entry.dispatch.message, cursor);
    if (entry.frames.size >= FRAMES_KEPT_MAX) entry.frames.clear();
    entry.frames.set(id, frame);
    return frame;
  }

  /** What is on the device's own list, is meant for it, and is not recorded. */
  #claimedByList(device: Device): Entry[] {
    const claimed: Entry[] = [];
    for (const id of device.have) {
      const entry = this.#entries.get(id);
      if (entry && entry.dispatch.has(device.ordinal) && !entry.told.has(device.ordinal))
        claimed.push(entry);
    }
    return claimed;
  }

  /** A cursor beyond all that is known is from another life of this server: it covers nothing. */
  #believable(cursor: Cursor): Cursor {
    return {
      warning: cursor.warning > this.#highest.warning ? 0 : cursor.warning,
      notice: cursor.notice > this.#highest.notice ? 0 : cursor.notice,
    };
  }

  /** Whether this device has something that the dispatch ends or replaces. */
  #hasWhatItReplaces(entry: Entry, device: Device, cursor: Cursor): boolean {
    const { have, ordinal } = device;
    const { lane, seq, supersedes } = entry.dispatch;
    const isListed = (each: Entry) => have.has(each.dispatch.dispatchId) || each.told.has(ordinal);
    // What is listed and not known here was forgotten here: rather one message too many.
    if (supersedes.some((id) => have.has(id) && !this.#entries.has(id))) return true;
    if (supersedes.some((id) => have.has(id)) && this.#holdsWhatItReplaces(entry, isListed))
      return true;
    if (seq <= cursor[lane]) return false;
    return this.#holdsWhatItReplaces(
      entry,
      (each) =>
        isListed(each) ||
        (each.dispatch.has(ordinal) && each.dispatch.seq <= cursor[each.dispatch.lane]),
    );
  }

  /** Whether somebody got something that a dispatch ends, and was not told of the end of it before. */
  #holdsWhatItReplaces(entry: Entry, got: (each: Entry) => boolean): boolean {
    return entry.dispatch.supersedes.some((id) => {
      const old = this.#entries.get(id);
      if (old === undefined || isEnd(old) || !got(old)) return false;
      return !old.endedBy.some((end) => end !== entry && got(end));
    });
  }

  /** What was replaced for somebody stays history, also when its successor has ended meanwhile. */
  #isReplacedFor(entry: Entry, device: Device): boolean {
    const by = entry.supersededBy;
    return by !== undefined && (by.dispatch.has(device.ordinal) || holdsPlace(by, device));
  }

  #link(): void {
    for (const entry of this.#entries.values())
      for (const id of entry.dispatch.supersedes) {
        const earlier = this.#entries.get(id);
        // Of several, the Cancel counts; of updates the last.
        if (earlier && earlier.supersededBy?.msgType !== "Cancel") earlier.supersededBy = entry;
        if (earlier && isEnd(entry) && !earlier.endedBy.includes(entry))
          earlier.endedBy.push(entry);
      }
  }

  #leaveLane(entry: Entry): void {
    const { lane } = entry.dispatch;
    this.#lanes[lane] = this.#lanes[lane].filter((each) => each !== entry);
    entry.frames.clear();
  }

  #bound(): void {
    for (const lane of LANES.toReversed())
      for (const entry of this.#entries.values()) {
        if (this.#entries.size <= DISPATCHES_MAX) return;
        if (entry.dispatch.lane === lane && !this.isInForce(entry))
          this.forget(entry.dispatch.dispatchId);
      }
    if (this.#entries.size > DISPATCHES_MAX)
      this.#log.error(
        { dispatches: this.#entries.size },
        "more dispatches in force than planned for",
      );
  }
}

/** Whether somebody is told because of where they say they are: only what their standing may get. */
export function holdsPlace(entry: Entry, person: Pick<Device, "places" | "standing">): boolean {
  if (entry.dispatch.purpose !== "main") return false;
  if (person.places.length === 0) return false;
  if (STANDING_OF_TYPE[entry.dispatch.type] !== person.standing) return false;
  return person.places.some((code) => entry.dispatch.communeCodes.has(code));
}

/** Whether it leaves whoever gets it with nothing to act on. */
const isEnd = ({ msgType, dispatch }: Entry): boolean =>
  msgType === "Cancel" || dispatch.purpose === "left";

/** Whether any of somebody's devices is told because of where it is. */
function isThere(entry: Entry, devices: Whereabouts): boolean {
  for (let each: Whereabouts | undefined = devices; each; each = each.next)
    if (holdsPlace(entry, each)) return true;
  return false;
}

function insertBySeq(lane: Entry[], entry: Entry): void {
  let at = lane.length;
  while (at > 0 && (lane[at - 1] as Entry).dispatch.seq > entry.dispatch.seq) at -= 1;
  lane.splice(at, 0, entry);
}

/** From the frozen message, which is the only place that says so. An unreadable one is an Alert. */
function readKind(message: Uint8Array): { msgType: MsgType; step: ChainStep } {
  try {
    const { msgType, step } = JSON.parse(Buffer.from(message).toString()) as {
      msgType?: unknown;
      step?: unknown;
    };
    return {
      msgType: msgType === "Cancel" || msgType === "Update" ? msgType : "Alert",
      step: CHAIN_STEPS.find((each) => each === step) ?? "alert",
    };
  } catch {
    return { msgType: "Alert", step: "alert" };
  }
}
