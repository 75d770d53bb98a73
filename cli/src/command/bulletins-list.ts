// `loa bulletins list`: newest first.
import { listBulletins } from "@loa/api/bulletins.ts";
import { PAGE_MAX } from "@loa/api/route.ts";
import { BULLETIN_STATES } from "@loa/model/transition.ts";
import { answer, type Command, integerOption, textOption, UsageError } from "../command.ts";
import { bulletinTable } from "./bulletin-text.ts";

export const bulletinsList: Command = {
  name: "bulletins list",
  usage: "[--state STATE] [--limit N] [--after ID]",
  summary: { en: "List bulletins, newest first", vi: "Liệt kê các bản tin, mới nhất trước" },
  help: [
    ["--state STATE", BULLETIN_STATES.join(", ")],
    ["--limit N", `at most ${PAGE_MAX} (50)`],
    ["--after ID", "the page after this bulletin"],
  ],
  options: { state: { type: "string" }, limit: { type: "string" }, after: { type: "string" } },
  async run({ client, values }) {
    const wanted = textOption(values, "state");
    const state = BULLETIN_STATES.find((each) => each === wanted);
    if (wanted !== undefined && state === undefined)
      throw new UsageError(`--state wants one of ${BULLETIN_STATES.join(", ")}`);
    const limit = integerOption(values, "limit", { min: 1, max: PAGE_MAX, fallback: 50 });
    const after = textOption(values, "after");
    const page = await client().ask(listBulletins, {
      query: { limit, ...(state && { state }), ...(after && { after }) },
    });
    const more = page.next === null ? "" : `\n\nMore: --after ${page.next}`;
    return answer(page, bulletinTable(page.items) + more);
  },
};
