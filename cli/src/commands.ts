// Every command, in the order in which the help lists them.
import { areasImport } from "./command/areas-import.ts";
import { areasShow } from "./command/areas-show.ts";
import { bulletinsCreate } from "./command/bulletins-create.ts";
import { bulletinsList } from "./command/bulletins-list.ts";
import { bulletinsShow } from "./command/bulletins-show.ts";
import {
  bulletinsApprove,
  bulletinsCancel,
  bulletinsIssue,
  bulletinsReturn,
  bulletinsSubmit,
} from "./command/bulletins-step.ts";
import { openapi } from "./command/openapi.ts";
import {
  standingOrdersApprove,
  standingOrdersList,
  standingOrdersShow,
  standingOrdersUse,
} from "./command/standing-orders.ts";
import { status } from "./command/status.ts";
import type { Command } from "./command.ts";

export const COMMANDS: readonly Command[] = [
  status,
  areasImport,
  areasShow,
  bulletinsList,
  bulletinsShow,
  bulletinsCreate,
  bulletinsSubmit,
  bulletinsReturn,
  bulletinsApprove,
  bulletinsIssue,
  bulletinsCancel,
  standingOrdersList,
  standingOrdersShow,
  standingOrdersApprove,
  standingOrdersUse,
  openapi,
];
