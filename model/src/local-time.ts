// Instants as people in the served country write them: RFC 3339 to the second, with its offset.

/** Vietnam keeps +07:00 the whole year. */
export const LOCAL_OFFSET_MINUTES = 7 * 60;
const LOCAL_OFFSET = "+07:00";

/** `2026-11-24T02:05:00+07:00`: fractions of a second are cut off, as CAP 1.2 asks. */
export function formatLocalTime(at: Date): string {
  const shifted = new Date(at.getTime() + LOCAL_OFFSET_MINUTES * 60_000);
  return `${shifted.toISOString().slice(0, 19)}${LOCAL_OFFSET}`;
}

/** `02:05 ngày 24/11/2026`, for Vietnamese texts. */
export function formatTimeVi(at: Date): string {
  const [date, time] = formatLocalTime(at).split("T") as [string, string];
  const [year, month, day] = date.split("-") as [string, string, string];
  return `${time.slice(0, 5)} ngày ${day}/${month}/${year}`;
}

/** `02:05 on 24 November 2026`, for English texts. */
export function formatTimeEn(at: Date): string {
  const [date, time] = formatLocalTime(at).split("T") as [string, string];
  const [year, month, day] = date.split("-") as [string, string, string];
  return `${time.slice(0, 5)} on ${Number(day)} ${MONTHS[Number(month) - 1]} ${year}`;
}

/** The hour of the local day, 0 to 23. */
export const localHour = (at: Date): number => Number(formatLocalTime(at).slice(11, 13));

const MONTHS = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
] as const;

const RFC3339 = /^\d{4}-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/u;

/** Reads RFC 3339 with an offset and a date that exists; undefined for anything else. */
export function parseInstant(text: string): Date | undefined {
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return undefined;
  // Date rolls 30 February over into March; the day must survive the round trip.
  const wall = new Date(`${text.slice(0, 10)}T00:00:00Z`);
  return wall.toISOString().slice(0, 10) === text.slice(0, 10) ? at : undefined;
}
