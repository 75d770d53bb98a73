// Every setting of Loa: its environment variable, type, default and one sentence.
// This file is the only reader of process.env; main.ts reads the settings once and
// hands each part the values that it needs. docs/configuration.md is generated from
// SETTINGS.
import { resolve } from "node:path";

/** One setting. `parse` answers the value, or throws a sentence that says what is wanted. */
export interface Setting<T> {
  readonly env: string;
  readonly type: string;
  readonly default: string;
  readonly doc: string;
  /** Its value is not repeated where it is wrong. */
  readonly isSecret?: boolean;
  readonly parse: (text: string) => T;
}

const text = (env: string, fallback: string, doc: string): Setting<string> => ({
  env,
  type: "text",
  default: fallback,
  doc,
  parse: (value) => value,
});

const path = (env: string, fallback: string, doc: string): Setting<string> => ({
  env,
  type: "path",
  default: fallback,
  doc,
  parse: (value) => resolve(value),
});

const integer = (
  env: string,
  fallback: number,
  min: number,
  max: number,
  doc: string,
): Setting<number> => ({
  env,
  type: `integer ${min}..${max}`,
  default: String(fallback),
  doc,
  parse: (value) => {
    const number = Number(value);
    if (!Number.isInteger(number) || number < min || number > max)
      throw new Error(`wants a whole number from ${min} to ${max}`);
    return number;
  },
});

const oneOf = <const V extends readonly string[]>(
  env: string,
  values: V,
  fallback: V[number],
  doc: string,
): Setting<V[number]> => ({
  env,
  type: values.join(" | "),
  default: fallback,
  doc,
  parse: (value) => {
    if (!values.includes(value)) throw new Error(`wants one of ${values.join(", ")}`);
    return value;
  },
});

const origin = (env: string, doc: string): Setting<string> => ({
  env,
  type: "origin",
  default: "",
  doc,
  parse: (value) => {
    const url = URL.parse(value);
    const isOrigin = url?.origin === value && /^https?:$/.test(url.protocol);
    if (value !== "" && !isOrigin)
      throw new Error("wants an origin without a path, such as https://loa.example");
    return value;
  },
});

/** The settings, in the order in which the reference lists them. */
export const SETTINGS = {
  data: path("LOA_DATA", "./data", "Folder for the database, the server's keys and its lock."),
  databaseUrl: {
    env: "DATABASE_URL",
    type: "postgres URL",
    default: "",
    doc: "A PostgreSQL >= 15 to use instead of the embedded one, as postgres://user:password@host/name.",
    isSecret: true,
    parse: (value) => {
      const url = URL.parse(value);
      const isPostgres = /^postgres(ql)?:$/.test(url?.protocol ?? "") && url?.pathname !== "";
      if (value !== "" && !isPostgres)
        throw new Error("wants the form postgres://user:password@host:port/name");
      return value;
    },
  } satisfies Setting<string>,
  host: text("LOA_HOST", "127.0.0.1", "Address on which the API and the stream listen."),
  port: integer("LOA_PORT", 8080, 0, 65535, "Port of the API; 0 takes any free one."),
  streamPort: integer(
    "LOA_STREAM_PORT",
    8081,
    0,
    65535,
    "Port for devices and gateways: the live stream and receipts; 0 takes any free one.",
  ),
  publicUrl: origin(
    "LOA_PUBLIC_URL",
    "Origin under which the API is reached from outside; empty means its own address.",
  ),
  streamUrl: origin(
    "LOA_STREAM_URL",
    "Origin under which devices reach the stream; empty means its own address.",
  ),
  workers: integer("LOA_WORKERS", 2, 1, 64, "Number of worker processes that run shards."),
  demo: oneOf(
    "LOA_DEMO",
    ["on", "off"],
    "on",
    "Whether an empty database is filled with the Sông Lụa demonstration.",
  ),
  demoSubscribers: integer(
    "LOA_DEMO_SUBSCRIBERS",
    100_000,
    0,
    50_000_000,
    "How many synthetic subscribers the demonstration registers.",
  ),
  loopbackUrl: text(
    "LOA_LOOPBACK_URL",
    "",
    "host:port of the sink behind the loopback channels; empty starts one beside the server.",
  ),
  loopbackOnceUrl: text(
    "LOA_LOOPBACK_ONCE_URL",
    "",
    "host:port of the sink behind loopback-once, on which nobody is told twice; empty takes that of the loopback channels.",
  ),
  loopbackSlice: integer(
    "LOA_LOOPBACK_SLICE",
    4_096,
    1,
    65_536,
    "Recipients in one hand-over to a loopback channel; fault tests make it small.",
  ),
  loopbackAnswerMs: integer(
    "LOA_LOOPBACK_ANSWER_MS",
    30_000,
    100,
    60_000,
    "How long the sink may take to answer before what was handed over is unsure.",
  ),
  readyJson: oneOf(
    "LOA_READY_JSON",
    ["on", "off"],
    "off",
    "Whether the start is announced as one line of JSON on stdout, for programs, and not as text.",
  ),
  diskLowMib: integer(
    "LOA_DISK_LOW_MIB",
    4_096,
    0,
    1_000_000_000,
    "Free MiB on the data folder's disk below which imports, exports and backups are refused; below " +
      "an eighth of it notices wait too, and the rest is kept for warnings.",
  ),
  retentionDays: integer(
    "LOA_RETENTION_DAYS",
    90,
    1,
    3650,
    "Days after which a finished dispatch keeps its figures only, and no facts of single persons.",
  ),
  failPoints: text(
    "LOA_FAIL_POINTS",
    "",
    "Fault tests only: named instants at which each process kills itself, once, as name[@hit][,name[@hit]]; or armed-in:<folder>, where files arm them in running processes.",
  ),
  logLevel: oneOf(
    "LOA_LOG_LEVEL",
    ["debug", "info", "warn", "error", "silent"],
    "warn",
    "Least severe log line that is written, as JSON, to stderr.",
  ),
} as const;

/** What `loa` reads (cli/src/environment.ts): whoever exports these may also start a server. */
const OF_THE_COMMAND_LINE: readonly string[] = ["LOA_ORIGIN", "LOA_KEY"];

/** The values of all settings. */
export type Config = { [K in keyof typeof SETTINGS]: ReturnType<(typeof SETTINGS)[K]["parse"]> };

/** Says which variables are wrong and what each of them wants. */
export class ConfigError extends Error {
  override name = "ConfigError";
}

/**
 * Reads all settings from an environment, `process.env` if none is given.
 * @throws {ConfigError} naming every variable that is wrong, not only the first.
 */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const faults: string[] = [];
  const settings: [string, Setting<unknown>][] = Object.entries(SETTINGS);
  const values = settings.map(([key, setting]) => {
    const given = env[setting.env];
    try {
      return [key, setting.parse(given === undefined || given === "" ? setting.default : given)];
    } catch (fault) {
      const what = setting.isSecret === true ? setting.env : `${setting.env}=${given}`;
      faults.push(`${what} ${(fault as Error).message}`);
      return [key, undefined];
    }
  });
  for (const name of Object.keys(env))
    if (
      name.startsWith("LOA_") &&
      !OF_THE_COMMAND_LINE.includes(name) &&
      !Object.values(SETTINGS).some((s) => s.env === name)
    )
      faults.push(`${name} is not a setting of Loa`);
  if (faults.length > 0) throw new ConfigError(faults.join("\n"));
  return Object.fromEntries(values) as Config;
}
