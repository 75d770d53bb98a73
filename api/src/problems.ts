// Everything that Loa may refuse, and how it says so over HTTP: one row for each code of the model,
// with status and a sentence in Vietnamese and English. docs/problems.md is generated from this
// table, and the `type` of a problem document is the anchor in that page.
//
// A code never changes its meaning or status; a fault that is different gets a code of its own.
import type { Fault, ProblemCode } from "@loa/model/problem.ts";

/** One row of the table. */
export interface ProblemKind {
  readonly status: number;
  readonly vi: string;
  readonly en: string;
}

export const PROBLEM_MEDIA_TYPE = "application/problem+json";
/** The `type` of a problem is this with the code as fragment; relative to the API's own origin. */
export const PROBLEM_TYPE_PREFIX = "/docs#problem-";

export const PROBLEMS = {
  // The request itself.
  "body-too-large": { status: 413, vi: "Nội dung gửi lên quá lớn", en: "The body is too large" },
  "body-not-json": {
    status: 400,
    vi: "Nội dung gửi lên không phải là JSON hợp lệ",
    en: "The body is not valid JSON",
  },
  "body-not-utf8": {
    status: 400,
    vi: "Nội dung gửi lên không phải là UTF-8 hợp lệ",
    en: "The body is not valid UTF-8",
  },
  "text-not-nfc": {
    status: 400,
    vi: "Văn bản chưa được chuẩn hoá Unicode dạng dựng sẵn (NFC)",
    en: "A text is not in Unicode normalisation form NFC",
  },
  "request-invalid": {
    status: 400,
    vi: "Yêu cầu không đúng quy cách",
    en: "The request does not fit its description",
  },
  "media-type-unsupported": {
    status: 415,
    vi: "Kiểu hoặc cách mã hoá nội dung không được hỗ trợ",
    en: "The body's media type or encoding is not accepted here",
  },
  "not-found": { status: 404, vi: "Không có địa chỉ này", en: "There is nothing at this address" },
  "method-not-allowed": {
    status: 405,
    vi: "Địa chỉ này không nhận phương thức đã dùng",
    en: "This address does not take this method",
  },
  "idempotency-key-missing": {
    status: 400,
    vi: "Thiếu tiêu đề Idempotency-Key",
    en: "The Idempotency-Key header is missing",
  },
  "idempotency-key-reused": {
    status: 422,
    vi: "Idempotency-Key này đã dùng cho một yêu cầu khác",
    en: "This Idempotency-Key was used for another request",
  },
  "idempotency-in-progress": {
    status: 409,
    vi: "Yêu cầu với Idempotency-Key này đang được xử lý",
    en: "The request with this Idempotency-Key is still being worked on",
  },
  // Who asks.
  "key-missing": { status: 401, vi: "Thiếu khoá truy cập", en: "An access key is needed" },
  "key-unknown": {
    status: 401,
    vi: "Khoá truy cập không đúng hoặc đã bị thu hồi",
    en: "The access key is unknown or revoked",
  },
  "role-missing": {
    status: 403,
    vi: "Cán bộ không có vai trò cần thiết cho việc này",
    en: "The member does not hold a role that this needs",
  },
  "token-invalid": {
    status: 401,
    vi: "Mã thiết bị không hợp lệ hoặc đã bị thu hồi",
    en: "The device token is not valid or was revoked",
  },
  "gateway-key-scope": {
    status: 403,
    vi: "Khoá cổng kênh không dùng được cho việc này",
    en: "The gateway key does not cover this",
  },
  // Agencies and their people.
  "agency-unknown": { status: 404, vi: "Không có cơ quan này", en: "There is no such agency" },
  "account-unknown": {
    status: 404,
    vi: "Không có tài khoản chính thức này",
    en: "There is no such official account",
  },
  "handle-taken": {
    status: 409,
    vi: "Tên định danh này đã có tài khoản khác sử dụng",
    en: "Another account has this handle",
  },
  "member-unknown": { status: 404, vi: "Không có cán bộ này", en: "There is no such member" },
  "roles-conflict": {
    status: 409,
    vi: "Các vai trò này không được giao cho cùng một người",
    en: "These roles must not be held by one person",
  },
  "api-key-unknown": {
    status: 404,
    vi: "Không có khoá truy cập này",
    en: "There is no such access key",
  },
  // Areas.
  "area-unknown": { status: 404, vi: "Không có địa bàn mang mã này", en: "No area has this code" },
  "area-superseded": {
    status: 409,
    vi: "Địa bàn này đã được thay thế sau sắp xếp đơn vị hành chính",
    en: "This area was replaced by others",
  },
  "zone-unknown": { status: 404, vi: "Không có vùng mang mã này", en: "No zone has this code" },
  "geometry-invalid": {
    status: 400,
    vi: "Hình vẽ trên bản đồ không hợp lệ",
    en: "The shape is not a valid one",
  },
  "geometry-too-many-points": {
    status: 413,
    vi: "Hình vẽ trên bản đồ có quá nhiều điểm",
    en: "The shape has too many points",
  },
  "area-pack-invalid": {
    status: 422,
    vi: "Bộ dữ liệu địa bàn có lỗi",
    en: "The area pack is not sound",
  },
  "area-pack-clash": {
    status: 409,
    vi: "Bộ dữ liệu địa bàn trùng mã với bộ đang dùng",
    en: "The area pack clashes with one in use",
  },
  "target-empty": {
    status: 422,
    vi: "Phạm vi đã chọn không có xã, phường nào",
    en: "The target holds no commune",
  },
  // Subscribers.
  "csv-invalid": { status: 400, vi: "Tệp CSV không đúng quy cách", en: "The CSV cannot be read" },
  "consent-missing": {
    status: 400,
    vi: "Thiếu căn cứ hoặc sự đồng ý cho việc xử lý dữ liệu cá nhân",
    en: "Consent, or another legal basis, is missing",
  },
  "subscriber-unknown": {
    status: 404,
    vi: "Không có người nhận này",
    en: "There is no such subscriber",
  },
  // Bulletins.
  "incident-unknown": { status: 404, vi: "Không có sự kiện này", en: "There is no such incident" },
  "bulletin-unknown": { status: 404, vi: "Không có bản tin này", en: "There is no such bulletin" },
  "bulletin-state": {
    status: 409,
    vi: "Trạng thái của bản tin không cho phép việc này",
    en: "The bulletin's state does not allow this",
  },
  "bulletin-invalid": {
    status: 422,
    vi: "Bản tin chưa đầy đủ hoặc có mâu thuẫn",
    en: "The bulletin is incomplete or contradicts itself",
  },
  "bulletin-expired": {
    status: 409,
    vi: "Bản tin đã hết hiệu lực",
    en: "The bulletin has expired",
  },
  "bulletin-changed": {
    status: 409,
    vi: "Bản tin đã được người khác sửa",
    en: "Somebody changed the bulletin meanwhile",
  },
  "approver-took-part": {
    status: 403,
    vi: "Người soạn, sửa hoặc trình bản tin không được tự duyệt",
    en: "Who wrote, edited or submitted a bulletin cannot approve it",
  },
  "approver-foreign": {
    status: 403,
    vi: "Người duyệt không thuộc cơ quan ban hành hoặc cơ quan cấp trên",
    en: "The approver belongs neither to the issuing agency nor to one above it",
  },
  "approval-mismatch": {
    status: 409,
    vi: "Nội dung khác với nội dung đã được xem để duyệt",
    en: "The content is not what the approver saw",
  },
  "not-entitled": {
    status: 403,
    vi: "Cơ quan không có thẩm quyền gửi bản tin này",
    en: "The agency is not entitled to send this",
  },
  "resolves-otherwise": {
    status: 409,
    vi: "Phạm vi đã duyệt nay ứng với các xã, phường khác",
    en: "The approved target comes down to other communes than when it was approved",
  },
  "standing-order-unknown": {
    status: 404,
    vi: "Không có lệnh chờ sẵn này",
    en: "There is no such standing order",
  },
  "standing-order-unusable": {
    status: 409,
    vi: "Lệnh chờ sẵn chưa được duyệt, đã hết hạn hoặc đã bị thu hồi",
    en: "The standing order is not approved, expired or revoked",
  },
  "cap-invalid": {
    status: 422,
    vi: "Không đọc được thông điệp CAP",
    en: "The CAP message cannot be used",
  },
  "source-unknown": {
    status: 404,
    vi: "Không có nguồn CAP này",
    en: "There is no such CAP source",
  },
  "source-suspended": {
    status: 403,
    vi: "Nguồn CAP này đang bị tạm dừng",
    en: "This CAP source is suspended",
  },
  // Sending.
  "dispatch-unknown": { status: 404, vi: "Không có đợt gửi này", en: "There is no such dispatch" },
  "facts-reduced": {
    status: 410,
    vi: "Dữ liệu về từng người đã được thay bằng số liệu tổng hợp",
    en: "Facts of single persons were reduced to figures",
  },
  "message-too-large": {
    status: 422,
    vi: "Bản tin quá dài để gửi đến thiết bị",
    en: "The message is too long to send to a device",
  },
  "area-order-state": {
    status: 409,
    vi: "Trạng thái của lệnh theo địa bàn không cho phép việc này",
    en: "The area order's state does not allow this",
  },
  "receipts-invalid": {
    status: 400,
    vi: "Báo nhận không đúng quy cách",
    en: "The receipts cannot be read",
  },
  // Backups.
  "backup-refused": {
    status: 409,
    vi: "Cơ sở dữ liệu không cho phép sao lưu",
    en: "The database does not admit a backup",
  },
  "backup-unknown": {
    status: 404,
    vi: "Không có bản sao lưu nào khớp với mã và dấu kiểm này",
    en: "No backup with this id adds up to this",
  },
  // The world.
  busy: {
    status: 503,
    vi: "Hệ thống đang bận, xin thử lại sau ít phút",
    en: "Loa is busy, try again in a moment",
  },
  unavailable: {
    status: 503,
    vi: "Một bộ phận của hệ thống đang tạm ngừng",
    en: "A part of Loa is not available",
  },
  "internal-error": {
    status: 500,
    vi: "Hệ thống gặp lỗi; lỗi đã được ghi lại",
    en: "Loa failed; the fault was logged",
  },
} as const satisfies Record<ProblemCode, ProblemKind>;

/** A problem document as RFC 9457 has it, with our code, both titles and the list of faults. */
export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** What exactly is wrong this time, and what to do. */
  readonly detail: string;
  readonly code: ProblemCode;
  readonly titles: { readonly vi: string; readonly en: string };
  readonly faults: readonly Fault[];
  /** The path of the request. */
  readonly instance: string;
}

/** Makes the document for one occurrence; `instance` is the path that was asked for. */
export function renderProblem(
  problem: {
    readonly code: ProblemCode;
    readonly message: string;
    readonly faults: readonly Fault[];
  },
  instance: string,
): ProblemDocument {
  const { status, vi, en } = PROBLEMS[problem.code];
  return {
    type: `${PROBLEM_TYPE_PREFIX}${problem.code}`,
    title: en,
    status,
    detail: problem.message,
    code: problem.code,
    titles: { vi, en },
    faults: problem.faults,
    instance,
  };
}
