// The role that owns every recipient's planes: answers figures and takes receipts over the
// bus, reads the journal when it grew, and tidies up.
import { Ledger, type ReceiptGroup, SEAL_EVERY_MS, TAIL_EVERY_MS } from "../dispatch/ledger.ts";
import { type RoleContext, type RunningRole, textField } from "./role.ts";

export async function startLedger(context: RoleContext): Promise<RunningRole> {
  const { bus, connection, failPoint, log } = context;
  const ledger = await Ledger.open({ pool: connection.pool, failPoint, log });
  const report = (error: unknown) => log.error({ err: error }, "ledger");
  bus.answer("ledger.summary", async (body) =>
    ledger.summarize(textField(body, "dispatchId") ?? ""),
  );
  bus.answer("ledger.reached", async (body) => ledger.reached(textField(body, "dispatchId") ?? ""));
  bus.answer("ledger.receipts", async (body) => ledger.receive(body as ReceiptGroup[]));
  const unsubscribe = bus.subscribe("journal.appended", () => void ledger.catchUp().catch(report));
  const tail = setInterval(() => void ledger.catchUp().catch(report), TAIL_EVERY_MS);
  const tidy = setInterval(() => void ledger.tidy().catch(report), SEAL_EVERY_MS);
  return {
    async stop() {
      unsubscribe();
      clearInterval(tail);
      clearInterval(tidy);
      await ledger.catchUp();
    },
  };
}
