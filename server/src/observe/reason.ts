// Why Loa is not simply ready: one row for each reason, with what it means for the state, what is
// shed because of it, and its sentence in Vietnamese and English. docs/operations.md says for each
// what to do. A code never changes its meaning.
//
// Rule: the warning lane is the last to suffer. Whatever is short, work that is not a warning gives
// way in this order: bulk (imports, exports, backups), comfort (estimates), notices.

/** `ready`: all is well. `degraded`: warnings go out, something needs a person. `down`: they do not. */
export const STATUSES = ["ready", "degraded", "down"] as const;
export type Status = (typeof STATUSES)[number];

/** What gives way; each holds those before it. */
export const SHEDDING = ["nothing", "bulk", "comfort", "notices"] as const;
export type Shedding = (typeof SHEDDING)[number];

/** Whether work of one kind gives way when so much is shed. */
export const isShed = (shedding: Shedding, work: Exclude<Shedding, "nothing">): boolean =>
  SHEDDING.indexOf(shedding) >= SHEDDING.indexOf(work);

interface ReasonKind {
  readonly status: Exclude<Status, "ready">;
  readonly sheds: Shedding;
  /** The condition must hold for so long before the reason stands, and be gone as long before it falls. */
  readonly raiseAfterMs: number;
  readonly clearAfterMs: number;
  readonly vi: string;
  readonly en: string;
}

export const REASONS = {
  starting: {
    status: "down",
    sheds: "notices",
    raiseAfterMs: 0,
    clearAfterMs: 0,
    vi: "Hệ thống đang khởi động; trang công khai vẫn đọc được, chưa thể ban hành hay gửi bản tin",
    en: "Loa is starting; the public pages can be read, nothing can be issued or sent yet",
  },
  "database-unreachable": {
    status: "down",
    sheds: "notices",
    raiseAfterMs: 0,
    clearAfterMs: 2_000,
    vi: "Không kết nối được cơ sở dữ liệu; chưa thể ban hành hay gửi tiếp bản tin",
    en: "The database does not answer; nothing can be issued or sent until it does",
  },
  "database-slow": {
    status: "degraded",
    sheds: "notices",
    raiseAfterMs: 2_000,
    clearAfterMs: 5_000,
    vi: "Cơ sở dữ liệu trả lời chậm; thông báo tạm dừng để nhường đường cho cảnh báo",
    en: "The database answers slowly; notices wait so that warnings go out",
  },
  "disk-full": {
    status: "down",
    sheds: "notices",
    raiseAfterMs: 0,
    clearAfterMs: 2_000,
    vi: "Đĩa đã đầy hoặc gần đầy; chỉ còn chỗ cho cảnh báo",
    en: "The disk is full or nearly so; what is left is kept for warnings",
  },
  "disk-low": {
    status: "degraded",
    sheds: "bulk",
    raiseAfterMs: 0,
    clearAfterMs: 2_000,
    vi: "Đĩa sắp đầy; tạm dừng nhập, xuất dữ liệu và sao lưu",
    en: "The disk is getting full; imports, exports and backups are refused",
  },
  "files-low": {
    status: "degraded",
    sheds: "bulk",
    raiseAfterMs: 1_000,
    clearAfterMs: 3_000,
    vi: "Một tiến trình sắp hết số tệp và kết nối được phép mở",
    en: "A process has nearly as many files and connections open as it may",
  },
  "memory-low": {
    status: "degraded",
    sheds: "comfort",
    raiseAfterMs: 1_000,
    clearAfterMs: 5_000,
    vi: "Bộ nhớ sắp hết; tạm dừng nhập, xuất dữ liệu và ước tính",
    en: "Memory is running out; imports, exports and estimates are refused",
  },
  "process-slow": {
    status: "degraded",
    sheds: "comfort",
    // Longer than one block stays visible (vitals.ts): it keeps being blocked.
    raiseAfterMs: 4_000,
    clearAfterMs: 5_000,
    vi: "Một tiến trình phản hồi chậm vì quá tải",
    en: "A process answers late because it has too much to do",
  },
  "process-missing": {
    status: "degraded",
    sheds: "nothing",
    raiseAfterMs: 0,
    clearAfterMs: 1_000,
    vi: "Một tiến trình không hoạt động; hệ thống đang khởi động lại tiến trình đó",
    en: "A process is not running; it is being started again",
  },
  "no-worker": {
    status: "down",
    sheds: "nothing",
    raiseAfterMs: 0,
    clearAfterMs: 1_000,
    vi: "Không có tiến trình gửi nào hoạt động; chưa gửi được bản tin",
    en: "No worker is running; nothing is sent until one is",
  },
  "process-restarting": {
    status: "degraded",
    sheds: "nothing",
    raiseAfterMs: 0,
    clearAfterMs: 60_000,
    vi: "Một tiến trình liên tục bị dừng và khởi động lại",
    en: "A process keeps dying and being started again",
  },
  "warning-delayed": {
    status: "degraded",
    sheds: "nothing",
    raiseAfterMs: 0,
    clearAfterMs: 2_000,
    vi: "Có cảnh báo đã ban hành nhưng chưa gửi hết sau một phút",
    en: "A warning was issued more than a minute ago and is not handed over to everybody yet",
  },
  "cap-identifier-twice": {
    status: "degraded",
    sheds: "nothing",
    raiseAfterMs: 0,
    clearAfterMs: 0,
    vi: "Một nguồn CAP gửi lại số hiệu bản tin đã dùng với nội dung khác; cần xác minh với nguồn tin",
    en: "A CAP source sent an identifier again with other content; ask the source who sent it",
  },
  "backup-old": {
    status: "degraded",
    sheds: "nothing",
    raiseAfterMs: 0,
    clearAfterMs: 0,
    vi: "Bản sao lưu gần nhất đã quá cũ",
    en: "The last backup is too old",
  },
} as const satisfies Record<string, ReasonKind>;
export type ReasonCode = keyof typeof REASONS;
export const REASON_CODES = Object.keys(REASONS) as ReasonCode[];

/** A reason that stands. */
export interface Reason {
  readonly code: ReasonCode;
  readonly since: Date;
  /** Which process, how slow, how much is left: in English, for operators; never a person. */
  readonly detail: string;
}

/** The state that follows from the reasons. */
export function statusOf(reasons: readonly Reason[]): Status {
  if (reasons.some(({ code }) => REASONS[code].status === "down")) return "down";
  return reasons.length > 0 ? "degraded" : "ready";
}

/** The most that any of the reasons sheds. */
export function sheddingOf(reasons: readonly Reason[]): Shedding {
  const levels = reasons.map(({ code }) => SHEDDING.indexOf(REASONS[code].sheds));
  return SHEDDING[Math.max(0, ...levels)] as Shedding;
}
