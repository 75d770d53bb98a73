// A start that cannot be, by the world's fault: a port that is taken, a folder that cannot be
// written, another Loa on the same data. Whoever started it is told what to do, without a stack.

/** Why Loa does not start and what to do, in the two languages of those who run it. */
export class StartRefused extends Error {
  override name = "StartRefused";

  constructor(reason: { readonly vi: string; readonly en: string }, options?: ErrorOptions) {
    super(`Loa cannot start: ${reason.en}\nLoa chưa chạy được: ${reason.vi}`, options);
  }
}

/** What the system says when a role cannot listen, as far as a person can do something about it. */
const LISTEN_FAULTS: Readonly<Record<string, { readonly en: string; readonly vi: string }>> = {
  EADDRINUSE: { en: "is in use by another program", vi: "đang có chương trình khác sử dụng" },
  EACCES: { en: "may not be used by this user", vi: "không cho người dùng này sử dụng" },
  EADDRNOTAVAIL: { en: "is not an address of this machine", vi: "không phải địa chỉ của máy này" },
  ENOTFOUND: { en: "is not known to this machine", vi: "không có máy nào mang tên này" },
};

/** A fault of listening that a role reports to its supervisor; plain data. */
export interface ListenFault {
  readonly code: string;
  readonly port: number | undefined;
}

/** Recognizes a fault of listening among everything that a start may throw. */
export function listenFaultOf(error: unknown): ListenFault | undefined {
  const { code, syscall, port } = error as { code?: string; syscall?: string; port?: number };
  const isListening = syscall === "listen" || syscall === "getaddrinfo" || syscall === "bind";
  if (code === undefined || !isListening || !(code in LISTEN_FAULTS)) return undefined;
  return { code, port };
}

/** The refusal for a role that could not listen. `setting` is the variable that chose the port. */
export function refuseToListen(
  fault: ListenFault,
  at: { readonly host: string; readonly port: number; readonly setting: string },
): StartRefused {
  const { host, setting } = at;
  const port = fault.port ?? at.port;
  const what = LISTEN_FAULTS[fault.code] ?? { en: "cannot be used", vi: "không dùng được" };
  if (fault.code === "EADDRINUSE" || fault.code === "EACCES")
    return new StartRefused({
      en: `port ${port} on ${host} ${what.en}. End that program, or set ${setting} to a free port (0 takes any).`,
      vi: `cổng ${port} tại ${host} ${what.vi}. Hãy tắt chương trình đó, hoặc đặt ${setting} là một cổng còn trống (0 là cổng bất kỳ).`,
    });
  return new StartRefused({
    en: `${host} ${what.en}. Set LOA_HOST to an address of this machine, such as 127.0.0.1.`,
    vi: `${host} ${what.vi}. Hãy đặt LOA_HOST là một địa chỉ của máy này, ví dụ 127.0.0.1.`,
  });
}
