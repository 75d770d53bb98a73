// The log: JSON lines on stderr, one logger for each process role.
// Rule (ARCHITECTURE.md, "what must never be", 11): no secret, phone number or
// position is ever logged; callers pass ids and counts, never message bodies.
import { type DestinationStream, type Logger, pino } from "pino";

export type { Logger };

/** A logger that stamps each line with the role and process that wrote it. */
export function createLogger(
  level: string,
  role: string,
  destination: DestinationStream = pino.destination({ dest: 2, sync: true }),
): Logger {
  const base = { role, pid: process.pid };
  const timestamp = pino.stdTimeFunctions.isoTime;
  return pino({ level, base, timestamp, serializers: { err: describeFault } }, destination);
}

/** Causes within causes that are told: protects a line from an error that causes itself. */
const CAUSES_MAX = 5;

/**
 * Only what an error says itself. PostgreSQL's errors carry more beside it, which quotes rows and
 * parameters (`detail`, `where`, `query`): whoever reads a log need not know who lives where.
 */
function describeFault(fault: unknown, depth = 0): unknown {
  if (!(fault instanceof Error)) return { message: String(fault) };
  const { name, message, stack, cause } = fault;
  const { code } = fault as { code?: unknown };
  return {
    type: name,
    message,
    stack,
    ...((typeof code === "string" || typeof code === "number") && { code }),
    ...(cause !== undefined && depth < CAUSES_MAX && { cause: describeFault(cause, depth + 1) }),
  };
}
