// Collects what is wrong with a pack, file by file, so that one refusal names all of it. The
// list is bounded: a file in the wrong encoding must not answer with a million sentences.
import { AREA_PACK_FAULTS_MAX } from "@loa/model/area-pack.ts";
import type { Fault } from "@loa/model/problem.ts";

export class FaultList {
  readonly faults: Fault[] = [];
  /** Faults beyond AREA_PACK_FAULTS_MAX, which are counted only. */
  unlisted = 0;

  /** @param at file and place, as in `communes.csv line 12` */
  add(at: string, what: string): void {
    if (this.faults.length < AREA_PACK_FAULTS_MAX) this.faults.push({ at, what });
    else this.unlisted += 1;
  }

  get count(): number {
    return this.faults.length + this.unlisted;
  }

  /** One sentence for all of them, naming the first. */
  describe(packName: string): string {
    const [first] = this.faults;
    const rest = this.count - 1;
    return (
      `The area pack ${packName} was refused and nothing of it was stored. ` +
      `${first?.at}: ${first?.what}.` +
      (rest === 0 ? "" : ` ${rest} more fault${rest === 1 ? "" : "s"}.`) +
      (this.unlisted === 0 ? "" : ` Only the first ${AREA_PACK_FAULTS_MAX} are listed.`)
    );
  }
}
