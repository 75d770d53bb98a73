// What the command line takes from its environment. This is the only file of `cli` that reads
// process.env; everything else gets values.

/** Where the API is when nobody says otherwise: what `npm start` serves. */
export const DEFAULT_ORIGIN = "http://127.0.0.1:8080";

export interface Environment {
  /** LOA_ORIGIN: where the API is. */
  readonly origin: string;
  /** LOA_KEY: a member's key; never given as an argument, where other users could read it. */
  readonly key: string | undefined;
}

export function readEnvironment(): Environment {
  const { LOA_ORIGIN: origin, LOA_KEY: key } = process.env;
  return { origin: origin || DEFAULT_ORIGIN, key: key || undefined };
}

/** The environment as it is, with these settings: for a server that a person starts through `loa`. */
export const environmentWith = (settings: Readonly<Record<string, string>>): NodeJS.ProcessEnv => ({
  ...process.env,
  ...settings,
});

/**
 * The environment for a server that must be nobody else's: the machine's own (PATH, TMPDIR, ...)
 * without any setting of Loa or of a database, and these settings.
 */
export function isolatedEnvironment(settings: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const machine = Object.entries(process.env).filter(
    ([name]) => !name.startsWith("LOA_") && !name.startsWith("PG") && name !== "DATABASE_URL",
  );
  return { ...Object.fromEntries(machine), ...settings };
}
