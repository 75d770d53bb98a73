// `loa`: the command line. It finds the command, reads its options, prints what it answers, and
// ends with 0 (yes), 1 (it ran, and the answer is no) or 2 (it could not run).
import { parseArgs } from "node:util";
import { ApiProblem, createClient } from "@loa/api/client.ts";
import { type Command, type CommandAnswer, UsageError } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { readEnvironment } from "./environment.ts";
import { commandHelp, overview } from "./help.ts";

const GLOBAL_OPTIONS = {
  origin: { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

/** More would push the sentence that says what is wrong off the screen. */
const FAULTS_SHOWN_MAX = 20;

const args = process.argv.slice(2);
const isJson = args.includes("--json");
const stop = new AbortController();
// Twice must not kill: npm passes on the Ctrl-C that the terminal already sent.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.on(signal, () => stop.abort(new Error(`ended by ${signal}`)));
// A reader that has seen enough (`| head`) is no fault.
process.stdout.on("error", (fault: NodeJS.ErrnoException) => {
  if (fault.code === "EPIPE") process.exit(0);
});

process.exitCode = await main();

async function main(): Promise<0 | 1 | 2> {
  try {
    const command = findCommand(args);
    if (command === undefined) return overviewOrUnknown();
    const rest = args.slice(command.name.split(" ").length);
    const given = await runCommand(command, rest);
    if (given === undefined) return 0;
    if (isJson) process.stdout.write(`${JSON.stringify(given.document)}\n`);
    else if (given.text !== "") process.stdout.write(`${given.text}\n`);
    return given.ok ? 0 : 1;
  } catch (fault) {
    return tell(fault);
  }
}

/** The command with the longest name that the arguments begin with. */
function findCommand(given: readonly string[]): Command | undefined {
  return COMMANDS.toSorted((a, b) => b.name.length - a.name.length).find((command) =>
    command.name.split(" ").every((word, index) => given[index] === word),
  );
}

async function runCommand(command: Command, rest: string[]): Promise<CommandAnswer | undefined> {
  const { values, positionals } = parseArgs({
    args: rest,
    options: { ...GLOBAL_OPTIONS, ...command.options },
    allowPositionals: true,
  });
  if (values.help === true) {
    process.stdout.write(`${commandHelp(command)}\n`);
    return undefined;
  }
  const environment = readEnvironment();
  const origin = typeof values.origin === "string" ? values.origin : environment.origin;
  const { key } = environment;
  return command.run({
    client: () => createClient(key === undefined ? { origin } : { origin, key }),
    values,
    positionals,
    isJson,
    stderr: process.stderr,
    stdout: process.stdout,
    signal: stop.signal,
  });
}

function overviewOrUnknown(): 0 | 2 {
  const words = args.filter((each) => !each.startsWith("-"));
  if (words.length === 0) {
    process.stdout.write(`${overview(COMMANDS)}\n`);
    return 0;
  }
  throw new UsageError(`there is no command "${words.join(" ")}"; loa --help lists them`);
}

/** Says what went wrong: a document on stdout for programs, a sentence on stderr for people. */
function tell(fault: unknown): 1 | 2 {
  const isRefusal = fault instanceof ApiProblem && fault.document.status < 500;
  const document =
    fault instanceof ApiProblem
      ? fault.document
      : { title: "loa could not run", detail: describe(fault) };
  if (isJson) process.stdout.write(`${JSON.stringify(document)}\n`);
  if (fault instanceof ApiProblem) {
    const { titles, detail, code, faults } = fault.document;
    process.stderr.write(`${titles.en} / ${titles.vi} (${code})\n${detail}\n`);
    for (const { at, what } of faults.slice(0, FAULTS_SHOWN_MAX))
      process.stderr.write(`  ${at}: ${what}\n`);
    if (faults.length > FAULTS_SHOWN_MAX)
      process.stderr.write(`  ... ${faults.length - FAULTS_SHOWN_MAX} more; --json lists them\n`);
  } else process.stderr.write(`${describe(fault)}\n`);
  return isRefusal ? 1 : 2;
}

function describe(fault: unknown): string {
  if (!(fault instanceof Error)) return String(fault);
  const code = fault instanceof TypeError && fault.message === "fetch failed" ? fault.cause : null;
  if (code instanceof Error)
    return `Loa does not answer (${code.message}). Is it running? Say where it is with --origin or LOA_ORIGIN.`;
  const isExpected = fault instanceof UsageError || "code" in fault || stop.signal.aborted;
  return isExpected ? fault.message : (fault.stack ?? fault.message);
}
