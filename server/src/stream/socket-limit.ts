// How many sockets the device edge takes where the system allows the process only so many files. The
// rest is for what warnings need (the database, the bus): who comes above it is told to wait,
// which is better than a process that can open nothing any more.

/** Files that a process keeps for itself: database, bus, log, and what Node opens. */
export const FILES_RESERVED = 64;
/** Of the sockets, the share that may hear that there is no room. */
const REFUSED_SHARE = 1 / 8;
/** A system that allows less than this cannot run Loa; the socket limit does not pretend it can. */
const SOCKETS_MIN = 16;

export interface SocketLimits {
  readonly socketsMax: number;
  readonly refusedSocketsMax: number;
}

/** The limits within `wanted`, for so many files; undefined is a system that does not say. */
export function limitSockets(wanted: SocketLimits, openFilesMax: number | undefined): SocketLimits {
  if (openFilesMax === undefined) return wanted;
  const room = Math.max(SOCKETS_MIN, openFilesMax - FILES_RESERVED);
  const refusedSocketsMax = Math.min(wanted.refusedSocketsMax, Math.floor(room * REFUSED_SHARE));
  return { socketsMax: Math.min(wanted.socketsMax, room - refusedSocketsMax), refusedSocketsMax };
}
