// A progress bar on stderr: one line that is written over where a person looks on, and nothing at
// all where the output goes to a file or another program.

/** How often the line is drawn again, at most. */
const REDRAW_MS = 80;
const WIDTH = 30;

export interface ProgressBar {
  /** `total` of 0 shows a count without a bar. */
  show(label: string, done: number, total: number): void;
  /** Removes the line, so that what follows begins at a clean one. */
  clear(): void;
}

export function createProgressBar(stream: NodeJS.WriteStream): ProgressBar {
  let drawnAtMs = 0;
  let isShown = false;
  return {
    show(label, done, total) {
      const now = performance.now();
      if (!stream.isTTY || (now - drawnAtMs < REDRAW_MS && done < total)) return;
      drawnAtMs = now;
      isShown = true;
      stream.write(`\r\u001b[2K${barLine(label, done, total)}`);
    },
    clear() {
      if (isShown) stream.write("\r\u001b[2K");
      isShown = false;
    },
  };
}

/** `Sending  ██████░░░░  60 %  600 of 1,000` */
export function barLine(label: string, done: number, total: number): string {
  const count = done.toLocaleString("en");
  if (total <= 0) return `${label}  ${count}`;
  const share = Math.min(1, done / total);
  const full = Math.floor(share * WIDTH);
  const bar = "█".repeat(full) + "░".repeat(WIDTH - full);
  const percent = String(Math.floor(share * 100)).padStart(3);
  return `${label}  ${bar} ${percent} %  ${count} of ${total.toLocaleString("en")}`;
}
