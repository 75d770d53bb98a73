// `loa bulletins create`: a draft from a JSON file that holds the content as the API describes it.
import { readFile } from "node:fs/promises";
import { getMe, listAccounts } from "@loa/api/accounts.ts";
import { createBulletin } from "@loa/api/bulletins.ts";
import type { Client } from "@loa/api/client.ts";
import { PAGE_MAX } from "@loa/api/route.ts";
import {
  answer,
  type Command,
  listOption,
  positional,
  textOption,
  UsageError,
} from "../command.ts";
import { bulletinLine } from "./bulletin-text.ts";

export const bulletinsCreate: Command = {
  name: "bulletins create",
  usage: "CONTENT.json [--account HANDLE] [--updates ID,...]",
  summary: {
    en: "Write a draft from a file; loa openapi describes its form",
    vi: "Tạo dự thảo bản tin từ một tệp JSON",
  },
  help: [
    ["--account HANDLE", "the official account; your agency's own if it has just one"],
    ["--updates ID,...", "the bulletins that it replaces when it is issued"],
  ],
  options: { account: { type: "string" }, updates: { type: "string", multiple: true } },
  async run(context) {
    const file = positional(context, 0, "a file with the content");
    const content = JSON.parse(await readFile(file, "utf8")) as never;
    const client = context.client();
    const accountId = await findAccount(client, textOption(context.values, "account"));
    const updates = listOption(context.values, "updates");
    const bulletin = await client.ask(createBulletin, { body: { accountId, content, updates } });
    return answer(bulletin, bulletinLine(bulletin));
  },
};

/**
 * The id of an account by its handle, or of the only one of the caller's agency.
 * @throws {UsageError} when there is none, or several to choose from.
 */
export async function findAccount(client: Client, handle: string | undefined): Promise<string> {
  const { agencyId } = await client.ask(getMe);
  const found: { id: string; handle: string }[] = [];
  let after: string | null = null;
  do {
    const page: { items: { id: string; handle: string; agencyId: string }[]; next: string | null } =
      await client.ask(listAccounts, { query: { limit: PAGE_MAX, ...(after && { after }) } });
    for (const account of page.items)
      if (handle === undefined ? account.agencyId === agencyId : account.handle === handle)
        found.push(account);
    after = page.next;
  } while (after !== null);
  const [only] = found;
  if (only !== undefined && found.length === 1) return only.id;
  if (only === undefined)
    throw new UsageError(handle ? `there is no account ${handle}` : "your agency has no account");
  throw new UsageError(`choose with --account: ${found.map((each) => each.handle).join(", ")}`);
}
