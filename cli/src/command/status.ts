// `loa status`: is Loa there and ready, and as whom do I ask?
import { getMe } from "@loa/api/accounts.ts";
import { listPacks } from "@loa/api/areas.ts";
import { ApiProblem, type Client } from "@loa/api/client.ts";
import { getHealth } from "@loa/api/health.ts";
import { answer, type Command } from "../command.ts";
import { formatFields } from "../table.ts";

export const status: Command = {
  name: "status",
  usage: "",
  summary: {
    en: "Say whether Loa is ready, and who you are",
    vi: "Cho biết Loa đã sẵn sàng chưa và bạn đang là ai",
  },
  help: [],
  options: {},
  async run({ client: open }) {
    const client = open();
    const health = await client.ask(getHealth);
    const { items: packs } = await client.ask(listPacks);
    const member = await whoAsks(client);
    const text = formatFields([
      ["Loa", `${client.origin}, version ${health.version}`],
      ["State", health.status],
      ["Database", health.database],
      ["Time there", health.at],
      ["Area packs", packs.map(({ name, validFrom }) => `${name} (${validFrom})`).join(", ")],
      ["You", member ? `${member.post.en}, ${member.personName}` : "nobody: no key in LOA_KEY"],
    ]);
    const ok = health.status === "ready" && health.database === "reachable";
    return { ...answer({ ...health, packs, member: member ?? null }, text), ok };
  },
};

/** The member whose key it is; undefined without a key, or with a gateway's or device's. */
async function whoAsks(client: Client) {
  try {
    return await client.ask(getMe);
  } catch (fault) {
    if (fault instanceof ApiProblem && [401, 403].includes(fault.document.status)) return undefined;
    throw fault;
  }
}
