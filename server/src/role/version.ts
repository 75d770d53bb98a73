// The version of Loa, as package.json has it and health says it.
import { readFileSync } from "node:fs";

const { version } = JSON.parse(
  readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
) as { version: string };

export const LOA_VERSION = version;
