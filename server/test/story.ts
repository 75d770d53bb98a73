// What the people of the demonstration do in stories across stages, by the public API alone.
import {
  approveBulletin,
  cancelBulletin,
  createBulletin,
  issueBulletin,
  submitBulletin,
} from "@loa/api/bulletins.ts";
import { type DispatchDocument, getDispatch, listDispatchCommunes } from "@loa/api/dispatches.ts";
import { registerDevice } from "@loa/api/devices.ts";
import { createClient } from "@loa/api/client.ts";
import { connectStream, type StreamConnection } from "@loa/api/stream-client.ts";
import type { BulletinType } from "@loa/model/bulletin-type.ts";
import type { ChannelName } from "@loa/model/endpoint.ts";
import { typhoonContent } from "@loa/model/typhoon-content.ts";
import { expect } from "vitest";
import { eventually } from "./dispatch-kit.ts";
import type { TestInstallation } from "./installation.ts";

export interface Wish {
  readonly type?: BulletinType;
  readonly areas?: readonly string[];
  readonly channels?: readonly ChannelName[];
}

/** Writes and submits the typhoon order, has it approved by another, and answers its id. */
export async function approvedBulletin(loa: TestInstallation, wish: Wish = {}): Promise<string> {
  const { type = "Exercise", areas = ["SL"], channels = ["live", "loopback"] } = wish;
  const target = { areas, zones: [], rule: { kind: "named" } } as const;
  const content = typhoonContent({ type, target, channels, now: new Date() });
  const accountId = loa.demonstration.accounts[0]?.id ?? "";
  const author = loa.as("provinceAuthor");
  const { id, version } = await author.ask(createBulletin, {
    body: { accountId, content: content as never },
  });
  return approve(loa, id, version);
}

async function approve(loa: TestInstallation, id: string, version: number): Promise<string> {
  const params = { id };
  const author = loa.as("provinceAuthor");
  const { hash } = await author.ask(submitBulletin, { params, body: { version } });
  await loa.as("provinceApprover").ask(approveBulletin, { params, body: { hash: hash ?? "" } });
  return id;
}

/** Issues an approved bulletin; answers the id of its dispatch. */
export async function issue(
  loa: TestInstallation,
  id: string,
  idempotencyKey?: string,
): Promise<string> {
  const { dispatch } = await loa.as("provinceApprover").ask(issueBulletin, {
    params: { id },
    ...(idempotencyKey !== undefined && { idempotencyKey }),
  });
  return dispatch.id;
}

/** An approved Cancel of an issued bulletin. */
export async function approvedCancel(loa: TestInstallation, bulletinId: string): Promise<string> {
  const reason = { vi: "Bản tin nêu sai giờ sơ tán.", en: "It gave the wrong hour to leave." };
  const { id, version } = await loa
    .as("provinceAuthor")
    .ask(cancelBulletin, { params: { id: bulletinId }, body: { reason } });
  return approve(loa, id, version);
}

export const ledgerOf = (loa: TestInstallation, id: string): Promise<DispatchDocument> =>
  loa.as("provinceAuthor").ask(getDispatch, { params: { id } });

const sum = (state: Readonly<Record<string, number>>): number =>
  Object.values(state).reduce((total, count) => total + count, 0);

/** Asks until the ledger answers and `satisfied`; a service that is coming back refuses meanwhile. */
export const ledgerWhen = (
  loa: TestInstallation,
  id: string,
  satisfied: (ledger: DispatchDocument) => boolean,
): Promise<DispatchDocument> =>
  eventually(
    () => ledgerOf(loa, id).catch(() => undefined),
    (ledger) => ledger !== undefined && satisfied(ledger),
    60_000,
  ) as Promise<DispatchDocument>;

/** Whether nobody of a channel waits any more. */
export const isDone =
  (channel: string) =>
  ({ channels }: DispatchDocument): boolean =>
    channels[channel]?.state.queued === 0;

/** The states sum to the planned recipients, over all and commune by commune. */
export async function expectSums(loa: TestInstallation, ledger: DispatchDocument): Promise<void> {
  const { items } = await loa
    .as("provinceAuthor")
    .ask(listDispatchCommunes, { params: { id: ledger.id } });
  for (const [channel, { planned, state }] of Object.entries(ledger.channels)) {
    expect(sum(state)).toBe(planned);
    const groups = items.flatMap(({ channels }) => {
      const figures = channels[channel];
      return figures ? [figures.residents, figures.concerned] : [];
    });
    for (const group of groups) expect(sum(group.state)).toBe(group.planned);
    expect(groups.reduce((total, group) => total + group.planned, 0)).toBe(planned);
  }
}

export interface Citizen {
  readonly token: string;
  /** Opens the stream; resolves when greeted. */
  listen(at?: readonly string[]): Promise<StreamConnection>;
}

/** Registers a citizen by their own device. */
export async function registerCitizen(loa: TestInstallation, home: string): Promise<Citizen> {
  const { token, streamUrl } = await createClient({ origin: loa.api }).ask(registerDevice, {
    body: { home, consentVersion: "form-1" },
  });
  return citizenWith(streamUrl, token);
}

/** A person who has a token. */
export const citizenWith = (url: string, token: string): Citizen => ({
  token,
  async listen(at = []) {
    const connection = await connectStream({ url, token, at });
    expect((await connection.next())?.event).toBe("hello");
    return connection;
  },
});

/** The dispatch of the next message that somebody hears. */
export async function nextDispatch(connection: StreamConnection): Promise<string> {
  const event = await connection.next();
  expect(event?.event).toBe("warning");
  const message = JSON.parse(new TextDecoder().decode(event?.data)) as { dispatch: string };
  return message.dispatch;
}
