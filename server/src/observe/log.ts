// The log: JSON lines on stderr, one logger for each process role.
// Rule (ARCHITECTURE.md, "what must never be", 11): no secret, phone number or
// position is ever logged; callers pass ids and counts, never message bodies.
import { pino, type Logger } from "pino";

export type { Logger };

/** A logger that stamps each line with the role and process that wrote it. */
export function createLogger(level: string, role: string): Logger {
  return pino(
    { level, base: { role, pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 2, sync: true }),
  );
}
