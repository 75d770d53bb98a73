// Every command, in the order in which the help lists them.
import { areasImport } from "./command/areas-import.ts";
import { areasShow } from "./command/areas-show.ts";
import { backup } from "./command/backup.ts";
import { bulletinsCancel, bulletinsCorrect, bulletinsUpdate } from "./command/bulletins-chain.ts";
import { bulletinsCreate } from "./command/bulletins-create.ts";
import { bulletinsFromCap } from "./command/bulletins-from-cap.ts";
import { bulletinsList } from "./command/bulletins-list.ts";
import { bulletinsShow } from "./command/bulletins-show.ts";
import {
  bulletinsApprove,
  bulletinsIssue,
  bulletinsReturn,
  bulletinsSubmit,
} from "./command/bulletins-step.ts";
import { capCheck } from "./command/cap-check.ts";
import { capConvert, capShow } from "./command/cap-show.ts";
import { capSign, capVerify } from "./command/cap-sign.ts";
import {
  capImport,
  capSourcesAdd,
  capSourcesList,
  capSourcesMessages,
  capSourcesResume,
  capSourcesSuspend,
} from "./command/cap-sources.ts";
import { drill } from "./command/drill.ts";
import { estimate } from "./command/estimate.ts";
import { ledger } from "./command/ledger.ts";
import { openapi } from "./command/openapi.ts";
import { restore } from "./command/restore.ts";
import {
  standingOrdersApprove,
  standingOrdersList,
  standingOrdersShow,
  standingOrdersUse,
} from "./command/standing-orders.ts";
import { status } from "./command/status.ts";
import {
  subscribersDelete,
  subscribersExport,
  subscribersShow,
} from "./command/subscribers-data.ts";
import { subscribersImport } from "./command/subscribers-import.ts";
import { subscribersSynth } from "./command/subscribers-synth.ts";
import type { Command } from "./command.ts";

export const COMMANDS: readonly Command[] = [
  status,
  drill,
  backup,
  restore,
  areasImport,
  areasShow,
  subscribersImport,
  subscribersSynth,
  subscribersShow,
  subscribersExport,
  subscribersDelete,
  estimate,
  bulletinsList,
  bulletinsShow,
  bulletinsCreate,
  bulletinsFromCap,
  bulletinsSubmit,
  bulletinsReturn,
  bulletinsApprove,
  bulletinsIssue,
  bulletinsUpdate,
  bulletinsCorrect,
  bulletinsCancel,
  standingOrdersList,
  standingOrdersShow,
  standingOrdersApprove,
  standingOrdersUse,
  ledger,
  capCheck,
  capShow,
  capConvert,
  capSign,
  capVerify,
  capImport,
  capSourcesList,
  capSourcesAdd,
  capSourcesSuspend,
  capSourcesResume,
  capSourcesMessages,
  openapi,
];
