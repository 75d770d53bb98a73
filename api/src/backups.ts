// Backups of the whole installation, for operators. One is taken by reading it, and counts once
// whoever took it has said that it arrived whole.
import { z } from "@hono/zod-openapi";
import { BACKUP_MEDIA_TYPE } from "./backup-format.ts";
import { defineRoute, idParams, idSchema, instantSchema } from "./route.ts";

const NOUN = "Backups";
const OPERATOR = { kind: "member", roles: ["operator"] } as const;
/** The header that says which backup an answer is. */
export const BACKUP_ID_HEADER = "loa-backup-id";

export const backupSchema = z
  .strictObject({
    id: idSchema,
    startedAt: instantSchema,
    confirmedAt: instantSchema.nullable(),
    bytes: z.int().nonnegative().nullable(),
  })
  .meta({ id: "Backup" });

export const createBackup = defineRoute({
  method: "post",
  path: "/v1/backups",
  noun: NOUN,
  summary: "Take a backup",
  description:
    "A tar archive of the data folder: the database with what makes it whole, and the " +
    "installation's keys. It holds everybody's data and every secret. Its id is in the header " +
    "`Loa-Backup-Id`; its last entry is the digest of all before. One is taken at a time.",
  access: OPERATOR,
  idempotency: "none",
  yields: "bulk",
  answer: {
    status: 200,
    description: "The archive, as it is read from the database",
    mediaType: BACKUP_MEDIA_TYPE,
  },
  problems: ["backup-refused"],
});

export const confirmBackup = defineRoute({
  method: "put",
  path: "/v1/backups/{id}",
  noun: NOUN,
  summary: "Say that a backup arrived whole",
  description: "From then on it is the last backup, in status and metrics.",
  access: OPERATOR,
  params: idParams,
  body: {
    form: "json",
    schema: z.strictObject({
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
      bytes: z.int().positive(),
    }),
  },
  answer: { status: 200, description: "The backup", schema: backupSchema },
  problems: ["backup-unknown"],
});

export const backupRoutes = [createBackup, confirmBackup];
