// A draft from a CAP message. A message with an error becomes nothing; one without becomes a draft
// like any other, which somebody reads, submits, and somebody else approves.
import { readCap } from "@loa/cap/read.ts";
import type { CapProblem, CapReference } from "@loa/cap/message.ts";
import { REFERENCES_MAX } from "@loa/model/bulletin.ts";
import { type CapDraftOptions, draftFromCap } from "@loa/model/cap-draft.ts";
import { Problem } from "@loa/model/problem.ts";
import type { Actor } from "../account/actor.ts";
import { newId } from "../db/id.ts";
import { createBulletin, databaseTime } from "./bulletin.ts";
import type { BulletinDeps } from "./bulletin-deps.ts";
import type { Bulletin } from "./bulletin-row.ts";
import type { Sql } from "./store.ts";

/** Faults of a message that one answer lists. */
const FAULTS_MAX = 50;

export interface CapWish extends Omit<CapDraftOptions, "now"> {
  readonly accountId: string;
  readonly updates: readonly string[];
}

export interface CapDrafted {
  readonly bulletin: Bulletin;
  readonly remarks: readonly string[];
  /** Warnings of the reader. */
  readonly problems: readonly CapProblem[];
}

/** @throws {Problem} cap-invalid with rule, place and line of each error; and as createBulletin. */
export async function createBulletinFromCap(
  deps: BulletinDeps,
  actor: Actor,
  bytes: Uint8Array,
  { accountId, updates, ...options }: CapWish,
  id: string = newId(),
): Promise<CapDrafted> {
  const { message, problems } = readCap(bytes);
  const errors = problems.filter(({ level }) => level === "error");
  if (message === undefined || errors.length > 0)
    throw new Problem(
      "cap-invalid",
      `The message has ${errors.length} ${errors.length === 1 ? "error" : "errors"}.`,
      errors.slice(0, FAULTS_MAX).map((error) => ({
        at: error.line > 0 ? `line ${error.line}` : "line 1",
        what: `${error.rule} ${error.path}: ${error.message}`,
      })),
    );
  const now = await databaseTime(deps.pool);
  const { content, remarks } = draftFromCap(message, { ...options, now });
  const named = await resolveReferences(deps.pool, message.references);
  const wish = {
    accountId,
    content,
    updates: [...new Set([...updates, ...named.known])],
    unknownReferences: named.unknown,
  };
  const bulletin = await createBulletin(deps, actor, wish, id);
  const marked = named.unknown.map(
    (reference) => `It refers to a message that is not here: ${reference}.`,
  );
  return { bulletin, remarks: [...remarks, ...marked], problems };
}

/**
 * Finds the bulletins that a message refers to. What is not known here is kept and marked: it may
 * have been sent before this installation was, and dropping it would make a first warning of an
 * update.
 */
async function resolveReferences(
  sql: Sql,
  references: readonly CapReference[],
): Promise<{ readonly known: string[]; readonly unknown: string[] }> {
  const named = references.slice(0, REFERENCES_MAX);
  const { rows } = await sql.query<{ id: string; identifier: string }>(
    "SELECT id, identifier FROM bulletin WHERE identifier = ANY($1::text[])",
    [named.map(({ identifier }) => identifier)],
  );
  const idOf = new Map(rows.map(({ id, identifier }) => [identifier, id]));
  const known: string[] = [];
  const unknown: string[] = [];
  for (const { sender, identifier, sent } of named) {
    const id = idOf.get(identifier);
    if (id === undefined) unknown.push(`${sender},${identifier},${sent}`);
    else known.push(id);
  }
  return { known, unknown };
}
