// The role that owns every recipient's planes: answers figures and takes receipts over the
// bus, reads the journal when it grew, and tidies up.
import { followComingWarnings } from "../bus/make-way.ts";
import { Ledger, type ReceiptGroup, SEAL_EVERY_MS, TAIL_EVERY_MS } from "../dispatch/ledger.ts";
import { RECEIPT_VERDICTS } from "../dispatch/receipt-verdict.ts";
import { Counters } from "../observe/counters.ts";
import { oneAtATime } from "./one-at-a-time.ts";
import { startReporting } from "./process-reporter.ts";
import { type RoleContext, type RunningRole, textField } from "./role.ts";

export async function startLedger(context: RoleContext): Promise<RunningRole> {
  const { bus, connection, failPoint, lease, log, order } = context;
  const coming = followComingWarnings(bus);
  const ledger = await Ledger.open({
    pool: connection.pool,
    retentionDays: order.retentionDays,
    makeWay: coming.passed,
    failPoint,
    log,
  });
  const report = (error: unknown) => log.error({ err: error }, "ledger");
  bus.answer("ledger.summary", async (body) =>
    ledger.summarize(textField(body, "dispatchId") ?? ""),
  );
  bus.answer("ledger.reached", async (body) => ledger.reached(textField(body, "dispatchId") ?? ""));
  const counters = new Counters();
  bus.answer("ledger.receipts", async (body) => {
    const verdict = await ledger.receive(body as ReceiptGroup[]);
    countVerdicts(verdict.each, counters);
    return verdict;
  });
  const stopReporting = startReporting({
    bus,
    role: order.role,
    counters,
    pool: connection.pool,
    lease,
  });
  const unsubscribe = bus.subscribe("journal.appended", () => void ledger.catchUp().catch(report));
  const tail = setInterval(() => void ledger.catchUp().catch(report), TAIL_EVERY_MS);
  const tidyOnce = oneAtATime(() => ledger.tidy());
  const tidy = setInterval(() => void tidyOnce().catch(report), SEAL_EVERY_MS);
  return {
    async stop() {
      unsubscribe();
      stopReporting();
      clearInterval(tail);
      clearInterval(tidy);
      coming.close();
      await ledger.catchUp();
    },
  };
}

function countVerdicts(each: readonly Uint8Array[], counters: Counters): void {
  const counts = new Uint32Array(RECEIPT_VERDICTS.length);
  for (const codes of each) for (const code of codes) counts[code] = (counts[code] as number) + 1;
  for (const [code, verdict] of RECEIPT_VERDICTS.entries())
    if (counts[code]) counters.add("loa_receipts_total", { verdict }, counts[code]);
}
