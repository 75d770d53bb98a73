// Loaded into every Node process of a simulated installation before its own code (`node --import`):
// it shifts the wall clock, Date, by what a file says, while the process runs. Monotonic time
// and timers stay as they are, as they do when a real clock is set. The server knows nothing of it.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** How often the file is looked at. */
const LOOK_MS = 20;

const file = new URL(import.meta.url).searchParams.get("shift") ?? "";
const path = file.startsWith("file:") ? fileURLToPath(file) : file;
let shiftMs = 0;

function look(): void {
  try {
    shiftMs = Number(readFileSync(path, "utf8")) || 0;
  } catch {
    // Between two writings, or the simulation has ended.
  }
}

const RealDate = Date;
const now = (): number => RealDate.now() + shiftMs;

// A proxy and no subclass: dates that come from a message or from the driver stay instances of it.
globalThis.Date = new Proxy(RealDate, {
  construct(target, given: [], self) {
    const made = self === globalThis.Date ? target : self;
    return Reflect.construct(target, given.length === 0 ? [now()] : given, made) as Date;
  },
  apply: () => new RealDate(now()).toString(),
  get: (target, name) => (name === "now" ? now : (Reflect.get(target, name) as unknown)),
});

look();
setInterval(look, LOOK_MS).unref();
