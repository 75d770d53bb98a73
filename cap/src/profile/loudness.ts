// How loud a message is, by what people must do and how much time they have left; never by its
// risk level. The worst flash flood has level 3 and is over in an hour; a middling storm has level 4
// and is days away. The level gives the colour, this gives the noise.
import { instantMs } from "../instant.ts";
import type { CapInfo, CapMessage } from "../message.ts";

/** alarm: wakes and overrides silence · urgent: sounds · normal: as a message · quiet: no sound. */
export const LOUDNESSES = ["quiet", "normal", "urgent", "alarm"] as const;
export type Loudness = (typeof LOUDNESSES)[number];

/** Words that ask for something that cannot wait until tomorrow. */
const LIFE_SAVING: ReadonlySet<string> = new Set(["Evacuate", "Shelter", "Execute", "Avoid"]);
const ACTION: ReadonlySet<string> = new Set([...LIFE_SAVING, "Prepare"]);

/** Below this, who must act has no time to lose. */
export const ALARM_WITHIN_MS = 6 * 3_600_000;

/**
 * | required action            | Immediate, or less than 6 h to the onset | Expected | Future | Past  |
 * | evacuate, shelter, avoid   | alarm                                    | urgent   | urgent | quiet |
 * | prepare                    | urgent                                   | normal   | normal | quiet |
 * | monitor, assess, none said | normal                                   | normal   | quiet  | quiet |
 *
 * All clear, a cancel and a last word are normal: they are owed to whoever heard the alarm. An
 * exercise and a test are never louder than normal.
 */
export function loudnessOf(message: CapMessage, info: CapInfo, now: Date): Loudness {
  if (info.urgency === "Past") return "quiet";
  const isReal = message.status === "Actual" && message.msgType !== "Cancel";
  if (!isReal || info.responseTypes.includes("AllClear")) return "normal";
  const isNow = info.urgency === "Immediate" || isNear(info, now);
  if (info.responseTypes.some((word) => LIFE_SAVING.has(word))) return isNow ? "alarm" : "urgent";
  if (info.responseTypes.some((word) => ACTION.has(word))) return isNow ? "urgent" : "normal";
  return isNow || info.urgency === "Expected" ? "normal" : "quiet";
}

function isNear({ onset }: CapInfo, now: Date): boolean {
  const ms = onset === undefined ? undefined : instantMs(onset);
  return ms !== undefined && ms - now.getTime() < ALARM_WITHIN_MS;
}
