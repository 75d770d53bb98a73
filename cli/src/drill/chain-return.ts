// Phones that come back after missing everything so far: each must hear the present state of the storm, once,
// and nothing of its history.
import { connectStream } from "@loa/api/stream-client.ts";
import { MSG_TYPE_OF } from "@loa/model/chain-step.ts";
import type { StageExpectation } from "./chain-plan.ts";
import type { LivePerson } from "./witness-protocol.ts";

/** How long a device that comes back is listened to: it must hear one message and no more. */
const RETURN_MS = 1_000;

/** What phones of each group heard, where it is not what they should. */
export async function returnFaults(
  stream: string,
  live: readonly LivePerson[],
  { stage, told }: StageExpectation,
): Promise<string[]> {
  const msgType = MSG_TYPE_OF[stage.step];
  // A corrected text and the end of something wake nobody, so they come in the lane of notices.
  const groups = [
    { people: told.main, hears: `warning ${msgType}` },
    { people: told.left, hears: `notice ${msgType}` },
    { people: told.silent, hears: `notice ${msgType}` },
  ];
  const faults = groups.map(async ({ people, hears }) => {
    const phone = live.find(({ index }) => people.has(index));
    if (phone === undefined) return [];
    const heard = await hearAll(stream, phone.token);
    return heard === hears ? [] : [`row ${phone.index} heard [${heard}], should hear [${hears}]`];
  });
  return (await Promise.all(faults)).flat();
}

/** All that a device hears that has nothing, by lane and kind. */
async function hearAll(stream: string, token: string): Promise<string> {
  const connection = await connectStream({ url: `${stream}/v1/stream`, token });
  const heard: string[] = [];
  const timer = setTimeout(() => connection.close(), RETURN_MS);
  for (let event = await connection.next(); event; event = await connection.next()) {
    if (event.event === "hello") continue;
    const { msgType } = JSON.parse(Buffer.from(event.data).toString()) as { msgType?: string };
    heard.push(`${event.event} ${String(msgType)}`);
  }
  clearTimeout(timer);
  return heard.join(", ");
}
