// `loa bulletins from-cap`: a draft from a CAP 1.2 message, for a person to read over.
import { readFile } from "node:fs/promises";
import { createBulletinFromCap } from "@loa/api/bulletins.ts";
import { HAZARD_KEYS } from "@loa/model/hazard.ts";
import {
  answer,
  type Command,
  listOption,
  positional,
  requiredOption,
  textOption,
  UsageError,
} from "../command.ts";
import { bulletinLine } from "./bulletin-text.ts";
import { findAccount } from "./bulletins-create.ts";

const text = { type: "string" } as const;
const many = { type: "string", multiple: true } as const;

export const bulletinsFromCap: Command = {
  name: "bulletins from-cap",
  usage: "FILE.xml --type Actual|Exercise --channels live,...",
  summary: {
    en: "Write a draft from a CAP 1.2 message, and say what to look at",
    vi: "Tạo dự thảo từ một bản tin CAP 1.2 và nêu những điểm cần xem lại",
  },
  help: [
    ["--type TYPE", "Actual or Exercise; the message does not decide that"],
    ["--channels LIST", "where it goes out"],
    ["--areas CODES", "send it there, instead of where the message says"],
    ["--zones CODES", "likewise, zones"],
    ["--hazard HAZARD", HAZARD_KEYS.join(", ")],
    ["--expires-at TIME", "RFC 3339 with an offset"],
    ["--exercise-name NAME", "for an Exercise"],
    ["--account HANDLE", "the official account; your agency's own if it has just one"],
  ],
  options: {
    type: text,
    channels: many,
    areas: many,
    zones: many,
    hazard: text,
    "expires-at": text,
    "exercise-name": text,
    account: text,
  },
  async run(context) {
    const { values } = context;
    const body = new Uint8Array(await readFile(positional(context, 0, "a CAP file")));
    const type = requiredOption(values, "type");
    if (type !== "Actual" && type !== "Exercise")
      throw new UsageError("--type wants Actual or Exercise");
    const client = context.client();
    const accountId = await findAccount(client, textOption(values, "account"));
    const areas = listOption(values, "areas").join(",");
    const zones = listOption(values, "zones").join(",");
    const expiresAt = textOption(values, "expires-at");
    const exerciseName = textOption(values, "exercise-name");
    const hazard = HAZARD_KEYS.find((each) => each === textOption(values, "hazard"));
    if (values.hazard !== undefined && hazard === undefined)
      throw new UsageError(`--hazard wants one of ${HAZARD_KEYS.join(", ")}`);
    const draft = await client.ask(createBulletinFromCap, {
      query: {
        accountId,
        type,
        channels: listOption(values, "channels").join(","),
        ...(areas !== "" && { areas }),
        ...(zones !== "" && { zones }),
        ...(hazard && { hazard }),
        ...(expiresAt && { expiresAt }),
        ...(exerciseName && { exerciseName }),
      },
      body,
    });
    const remarks = [
      ...draft.remarks,
      ...draft.problems.map(({ line, message }) => `line ${line}: ${message}`),
    ].map((remark) => `- ${remark}`);
    return answer(draft, [bulletinLine(draft.bulletin), ...remarks].join("\n"));
  },
};
