// `loa cap check`: whether CAP files conform. Needs no server.
import { CAP_PROFILES, type CapProfile, checkCap } from "@loa/cap/check.ts";
import {
  CAP_READ_HELP,
  CAP_READ_OPTIONS,
  problemLine,
  readCapFile,
  readOptionsOf,
} from "../cap-file.ts";
import { type Command, positional, textOption, UsageError } from "../command.ts";

export const capCheck: Command = {
  name: "cap check",
  usage: "FILE... [--profile core|google|loa]",
  summary: {
    en: "Check CAP 1.2 messages, and say what is wrong with rule, line and place",
    vi: "Kiểm tra bản tin CAP 1.2 và chỉ rõ lỗi theo quy tắc, dòng và vị trí",
  },
  help: [
    ["--profile PROFILE", "core (the default): the standard; google, loa: and what these add"],
    ...CAP_READ_HELP,
  ],
  options: { profile: { type: "string" }, ...CAP_READ_OPTIONS },
  async run(context) {
    positional(context, 0, "a CAP file");
    const profile = profileOf(textOption(context.values, "profile") ?? "core");
    const results = [];
    // One after the other, so that many large files need the memory of one.
    for (const file of context.positionals) {
      // oxlint-disable-next-line no-await-in-loop -- see above.
      const bytes = await readCapFile(file);
      const options = { profile, ...readOptionsOf(context.values) };
      const { valid, problems } = checkCap(bytes, options);
      results.push({ file, valid, profile, problems });
    }
    const text = results.map(({ file, valid, problems }) =>
      [`${file}: ${valid ? "valid" : "not valid"} (${profile})`, ...problems.map(problemLine)].join(
        "\n",
      ),
    );
    return { ok: results.every(({ valid }) => valid), document: results, text: text.join("\n") };
  },
};

function profileOf(name: string): CapProfile {
  const profile = CAP_PROFILES.find((each) => each === name);
  if (profile === undefined)
    throw new UsageError(`--profile knows ${CAP_PROFILES.join(", ")}, not ${name}`);
  return profile;
}
