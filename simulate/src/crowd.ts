// The devices of a simulation: each holds a real connection, notes what comes, and comes back by
// itself with its cursor and the list of what it has, as a phone does. They can vanish by the
// thousand.
import { setTimeout as pause } from "node:timers/promises";
import { hearStream, type StreamEvent, type StreamHandle } from "@loa/api/stream-client.ts";
import { chance } from "@loa/sink/behaviour.ts";
import type { ArrivalLog } from "./arrival-log.ts";
import type { DeviceVoice } from "./device-voice.ts";
import type { DevicePerson, Question } from "./witness-protocol.ts";

/** Connections that are being opened at once: a server's backlog is short. */
export const OPENING_MAX = 200;
/** A device that lost its connection tries again after this and up to twice that, then longer. */
const RETRY_MS_MIN = 60;
const RETRY_MS_MAX = 1_000;
/** A device that is not greeted within this tries anew, as one on a bad line does. */
const GREETED_MS_MAX = 3_000;
/** Dispatches that a device lists when it comes back. */
const HAVE_MAX = 30;
const ODDITIES_MAX = 50;
const CONNECTED_POLL_MS = 20;

interface Device extends DevicePerson {
  handle: StreamHandle | undefined;
  cursor: string;
  /** Dispatches that it has, newest last. */
  readonly have: string[];
  isGreeted: boolean;
  retryMs: number;
}

/** One connection of a device. */
interface Line {
  readonly number: number;
  /** What the device said that it has when it connected. */
  readonly declared: ReadonlySet<string>;
}

export class Crowd {
  readonly #log: ArrivalLog;
  readonly #voice: DeviceVoice;
  readonly #devices = new Map<number, Device>();
  readonly #wanting: Device[] = [];
  #oddities: string[] = [];
  #url = "";
  #connected = 0;
  #lines = 0;
  #opening = 0;
  #isClosed = false;

  constructor(log: ArrivalLog, voice: DeviceVoice) {
    this.#log = log;
    this.#voice = voice;
  }

  get connected(): number {
    return this.#connected;
  }

  get devices(): number {
    return this.#devices.size;
  }

  /** What happened since `begin` and should not. */
  get oddities(): readonly string[] {
    return this.#oddities;
  }

  /** Resolves when everybody is connected. */
  async connect(stream: string, people: readonly DevicePerson[]): Promise<void> {
    this.#url = `${stream}/v1/stream`;
    for (const person of people) {
      const fresh = { handle: undefined, cursor: "", have: [], isGreeted: false };
      const device = { ...person, ...fresh, retryMs: RETRY_MS_MIN };
      this.#devices.set(person.ordinal, device);
      this.#wanting.push(device);
    }
    this.#openNext();
    while (this.#connected < this.#devices.size) await pause(CONNECTED_POLL_MS);
  }

  begin(): void {
    this.#oddities = [];
  }

  find(ordinal: number): DevicePerson | undefined {
    return this.#devices.get(ordinal);
  }

  /** Some devices lose their connection for a while; answers how many. */
  vanish({ share, forMs, seed }: Extract<Question, { kind: "vanish" }>): number {
    let gone = 0;
    for (const device of this.#devices.values()) {
      const { handle, ordinal } = device;
      if (handle === undefined || chance(seed, ordinal) >= share) continue;
      gone += 1;
      this.#leave(device, forMs);
      handle.close();
    }
    return gone;
  }

  close(): void {
    this.#isClosed = true;
    for (const device of this.#devices.values()) device.handle?.close();
  }

  #note(oddity: string): void {
    if (this.#oddities.length < ODDITIES_MAX) this.#oddities.push(oddity);
  }

  #openNext(): void {
    const free = Math.max(0, OPENING_MAX - this.#opening);
    if (this.#isClosed) return;
    for (const device of this.#wanting.splice(0, free)) this.#open(device);
  }

  #open(device: Device): void {
    this.#lines += 1;
    this.#opening += 1;
    const { token, have } = device;
    const line: Line = { number: this.#lines, declared: new Set(have) };
    let isOpening = true;
    const limit = setTimeout(() => handle.close(), GREETED_MS_MAX);
    const settled = () => {
      clearTimeout(limit);
      if (isOpening) this.#opening -= 1;
      isOpening = false;
      this.#openNext();
    };
    const handle = hearStream(
      { url: this.#url, token, cursor: device.cursor || undefined, have },
      {
        event: (event) => {
          // A device that has gone does not read what was on its way.
          if (device.handle !== handle) return;
          this.#hear(device, line, event);
          if (isOpening) settled();
        },
        end: () => {
          if (device.handle === handle) {
            this.#leave(device, device.retryMs * (1 + Math.random()));
            device.retryMs = Math.min(device.retryMs * 2, RETRY_MS_MAX);
          }
          settled();
        },
      },
    );
    device.handle = handle;
  }

  #hear(device: Device, line: Line, event: StreamEvent): void {
    if (event.event === "hello") {
      device.isGreeted = true;
      device.retryMs = RETRY_MS_MIN;
      this.#connected += 1;
    }
    if (event.event === "hello" || event.event === "bye") return;
    const { ordinal, have } = device;
    const dispatch = dispatchOf(event.data);
    if (dispatch === undefined) return this.#note(`${ordinal} heard something without a dispatch`);
    if (line.declared.has(dispatch))
      this.#note(`${ordinal} was sent ${dispatch}, which it said it has`);
    this.#log.note(dispatch, "live", [ordinal], line.number, event.data);
    if (have.includes(dispatch)) return;
    have.push(dispatch);
    if (have.length > HAVE_MAX) have.shift();
    this.#voice.heard(device, dispatch);
  }

  /** It is not connected any more, and wants to be after a while. */
  #leave(device: Device, forMs: number): void {
    if (device.isGreeted) this.#connected -= 1;
    device.isGreeted = false;
    device.cursor = device.handle?.cursor ?? device.cursor;
    device.handle = undefined;
    setTimeout(() => {
      this.#wanting.push(device);
      this.#openNext();
    }, forMs);
  }
}

/** The id stands near the beginning; parsing 16 KiB for each of a thousand devices would not do. */
function dispatchOf(data: Uint8Array): string | undefined {
  const head = new TextDecoder().decode(data.subarray(0, 200));
  return /"dispatch":"([0-9a-f-]{36})"/.exec(head)?.[1];
}
