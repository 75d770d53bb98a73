// A3: the one form in which CAP writes instants, `YYYY-MM-DDThh:mm:ss±hh:mm`. There is no Z, no
// fraction, and the offset is a statement about the place: UTC as such is -00:00.

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d$/;
/** xs:dateTime allows no more. */
const OFFSET_MINUTES_MAX = 14 * 60;
const MINUTE_MS = 60_000;

/** Milliseconds since 1970 of a real day and time in CAP's form; undefined otherwise. */
export function instantMs(text: string): number | undefined {
  if (!INSTANT.test(text)) return undefined;
  const year = pair(text, 0) * 100 + pair(text, 2);
  const month = pair(text, 5);
  const day = pair(text, 8);
  const hour = pair(text, 11);
  const minute = pair(text, 14);
  const second = pair(text, 17);
  const offsetHour = pair(text, 20);
  const offsetMinute = pair(text, 23);
  // The schema's type knows 24:00:00, the end of a day, and no leap second.
  const isTime = hour < 24 || (hour === 24 && minute + second === 0);
  const offset = offsetHour * 60 + offsetMinute;
  if (!isTime || minute > 59 || second > 59) return undefined;
  if (offsetMinute > 59 || offset > OFFSET_MINUTES_MAX) return undefined;
  if (year === 0 || month < 1 || month > 12 || day < 1 || day > daysOf(year, month))
    return undefined;
  const date = new Date(0);
  // Unlike Date.UTC this takes years below 100 for what they are.
  date.setUTCFullYear(year, month - 1, day);
  const localMs = date.getTime() + (hour * 60 + minute) * MINUTE_MS + second * 1000;
  return localMs - (text[19] === "-" ? -offset : offset) * MINUTE_MS;
}

/** The number that two digits make. */
const pair = (text: string, at: number): number =>
  (text.charCodeAt(at) - 48) * 10 + text.charCodeAt(at + 1) - 48;

function daysOf(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

export const isInstant = (text: string): boolean => instantMs(text) !== undefined;
