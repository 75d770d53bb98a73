// `loa areas show`: what a code means today, also the code of a former unit.
import { getArea, listAreas } from "@loa/api/areas.ts";
import { answer, type Command, positional, textOption } from "../command.ts";
import { formatFields, formatTable } from "../table.ts";

/** Units below the shown one that are listed. */
const CHILDREN_MAX = 200;

export const areasShow: Command = {
  name: "areas show",
  usage: "CODE [--as-of DAY]",
  summary: {
    en: "Say what the code of an area means today, and what lies below",
    vi: "Cho biết mã địa bàn hiện nay là đơn vị nào và gồm những gì",
  },
  help: [["--as-of DAY", "read the code as it was used on that day, YYYY-MM-DD"]],
  options: { "as-of": { type: "string" } },
  async run(context) {
    const code = positional(context, 0, "the CODE of an area");
    const asOf = textOption(context.values, "as-of");
    const client = context.client();
    const found = await client.ask(getArea, { params: { code }, query: asOf ? { asOf } : {} });
    const [only] = found.current;
    const children =
      found.state === "current" && only !== undefined
        ? await client.ask(listAreas, { query: { parent: only.area.code, limit: CHILDREN_MAX } })
        : { items: [], next: null };
    const fate = found.part
      ? "it was divided, and nobody can say which part is meant:"
      : "it is today:";
    const heading =
      found.state === "current" ? "" : `${code} was ${found.formerName ?? "another unit"}; ${fate}`;
    const units = found.current.map(({ area, part }) =>
      formatFields([
        ["Code", area.code],
        ["Name", `${area.name.vi} / ${area.name.en}`],
        ["Level", area.kind === null ? area.level : `${area.level} (${area.kind})`],
        ["Parent", area.parent],
        ["Population", area.population],
        ["Area pack", area.pack],
        ...(part ? [["Note", "only a part of the former unit is here"] as const] : []),
      ]),
    );
    const below = children.items.map((each) => [each.code, each.name.vi, each.population] as const);
    const table = below.length > 0 ? [formatTable(["Code", "Below", "Population"], below)] : [];
    const text = [heading, ...units, ...table].filter((each) => each !== "");
    return answer({ ...found, below: children.items }, text.join("\n\n"));
  },
};
