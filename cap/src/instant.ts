// A3: the one form in which CAP writes instants, `YYYY-MM-DDThh:mm:ss±hh:mm`. There is no Z, no
// fraction, and the offset is a statement about the place: UTC as such is -00:00.

const INSTANT = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)[-+](\d\d):(\d\d)$/;
/** xs:dateTime allows no more. */
const OFFSET_MINUTES_MAX = 14 * 60;

/** Milliseconds since 1970 of a real day and time in CAP's form; undefined otherwise. */
export function instantMs(text: string): number | undefined {
  const found = INSTANT.exec(text);
  if (found === null) return undefined;
  const [year, month, day, hour, minute, second, offsetHour, offsetMinute] = found
    .slice(1)
    .map(Number) as [number, number, number, number, number, number, number, number];
  const isTime =
    (hour < 24 && minute < 60 && second < 60) || (hour === 24 && minute + second === 0);
  const isOffset = offsetMinute < 60 && offsetHour * 60 + offsetMinute <= OFFSET_MINUTES_MAX;
  if (year === 0 || !isTime || !isOffset || month < 1 || month > 12 || day < 1) return undefined;
  // The day 0 of the next month is the last of this one; years below 100 are not the 1900s here.
  const days = new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
  if (day > days) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}

export const isInstant = (text: string): boolean => instantMs(text) !== undefined;
