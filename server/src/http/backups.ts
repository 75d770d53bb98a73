// Backups over HTTP, for operators: taken by reading one, confirmed by whoever read it.
import { BACKUP_ID_HEADER, confirmBackup, createBackup } from "@loa/api/backups.ts";
import { BACKUP_MEDIA_TYPE } from "@loa/api/backup-format.ts";
import type { BackupDesk } from "../backup/backup.ts";
import type { App } from "./app.ts";

export interface BackupRouteDeps {
  readonly backups: BackupDesk;
}

export function mountBackups(app: App, { backups }: BackupRouteDeps): void {
  app.mount(createBackup, async ({ signal }) => {
    const { id, archive } = await backups.take(signal);
    const body = ReadableStream.from(archive) as ReadableStream<Uint8Array>;
    return new Response(body, {
      headers: { "content-type": BACKUP_MEDIA_TYPE, [BACKUP_ID_HEADER]: id },
    });
  });

  app.mount(confirmBackup, async ({ params, body }) => {
    const { id, startedAt, confirmedAt, bytes } = await backups.confirm(params.id, body);
    return {
      id,
      startedAt: startedAt.toISOString(),
      confirmedAt: confirmedAt?.toISOString() ?? null,
      bytes,
    };
  });
}
