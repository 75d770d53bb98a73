// The help: all commands in one screen, or one command with its options. English, with a line of
// Vietnamese for each command.
import type { Command } from "./command.ts";

/** All commands, each with its sentence. */
export function overview(commands: readonly Command[]): string {
  const longest = Math.max(...commands.map(({ name }) => name.length));
  const lines = commands.flatMap(({ name, summary }) => [
    `  ${name.padEnd(longest)}  ${summary.en}`,
    `  ${" ".repeat(longest)}  ${summary.vi}`,
  ]);
  return [
    "loa: warn everyone whom it concerns, and account for each of them",
    "     cảnh báo đến mọi người có liên quan, và biết rõ từng người đã nhận hay chưa",
    "",
    "Usage: npm run -s loa -- <command> [options]",
    "",
    ...lines,
    "",
    "Options of every command:",
    "  --origin URL  where the API is (LOA_ORIGIN, else http://127.0.0.1:8080)",
    "  --json        one JSON document on stdout and nothing else there",
    "  --help        what a command does and takes",
    "Whoever asks is known by the key in LOA_KEY. Exit status: 0 yes, 1 no, 2 could not run.",
  ].join("\n");
}

/** One command. */
export function commandHelp(command: Command): string {
  const longest = Math.max(0, ...command.help.map(([option]) => option.length));
  const options = command.help.map(
    ([option, meaning]) => `  ${option.padEnd(longest)}  ${meaning}`,
  );
  return [
    `Usage: npm run -s loa -- ${command.name} ${command.usage}`.trimEnd(),
    "",
    command.summary.en,
    command.summary.vi,
    ...(options.length > 0 ? ["", ...options] : []),
  ].join("\n");
}
