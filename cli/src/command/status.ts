// `loa status`: is Loa there and ready, what is wrong and since when, and as whom do I ask? An
// operator sees every figure; anybody else the state and its reasons.
import { getMe } from "@loa/api/accounts.ts";
import { listPacks } from "@loa/api/areas.ts";
import { ApiProblem, type Client } from "@loa/api/client.ts";
import { getHealth, getStatus, type Health, type OperatorStatus } from "@loa/api/health.ts";
import { answer, type Command } from "../command.ts";
import { formatFields } from "../table.ts";
import { describeFigures } from "./status-figures.ts";

export const status: Command = {
  name: "status",
  usage: "",
  summary: {
    en: "Say whether Loa is ready, what is wrong since when, and who you are",
    vi: "Cho biết tình trạng hệ thống, nguyên nhân nếu có sự cố, và bạn đang là ai",
  },
  help: [],
  options: {},
  async run({ client: open }) {
    const client = open();
    const health = await client.ask(getHealth);
    // What follows needs the database, or a key: without them the state is still the answer.
    const figures = await unless(client.ask(getStatus));
    const member = await unless(client.ask(getMe));
    const packs = (await unless(client.ask(listPacks)))?.items ?? null;
    const text = [
      describeState(client, health, figures),
      formatFields([
        [
          "Area packs",
          packs?.map(({ name, validFrom }) => `${name} (${validFrom})`).join(", ") ??
            "not known now",
        ],
        ["You", member ? `${member.post.en}, ${member.personName}` : "nobody: no key in LOA_KEY"],
      ]),
      ...(figures ? [describeFigures(figures)] : []),
    ].join("\n");
    const document = { ...health, ...figures, packs, member: member ?? null };
    return { ...answer(document, text), ok: health.status !== "down" };
  },
};

const STATE = {
  ready: "ready / sẵn sàng",
  degraded: "degraded / hoạt động hạn chế: warnings go out",
  down: "down / ngừng: warnings do not go out now",
} as const;

function describeState(
  client: Client,
  health: Health,
  figures: OperatorStatus | undefined,
): string {
  const details = new Map(figures?.reasons.map(({ code, detail }) => [code, detail]));
  const reasons = health.reasons.flatMap(({ code, since, text }) => {
    const detail = details.get(code);
    return [
      `  ${code}, since ${since}${detail ? `: ${detail}` : ""}`,
      `    ${text.en}`,
      `    ${text.vi}`,
    ];
  });
  return [
    formatFields([
      ["Loa", `${client.origin}, version ${health.version}`],
      ["State", STATE[health.status]],
      ["Database", health.database],
      ["Time there", health.at],
    ]),
    ...reasons,
  ].join("\n");
}

/** Undefined when the API refuses: without a key, with a gateway's or device's, or unable to. */
async function unless<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (fault) {
    if (fault instanceof ApiProblem) return undefined;
    throw fault;
  }
}
