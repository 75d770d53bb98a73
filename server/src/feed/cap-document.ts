// Writes and signs the CAP document of a publication. It fails closed on area: the document is read
// back, and where it names other communes or villages than were approved, nothing is published and
// the fault is loud.
import { checkCap } from "@loa/cap/check.ts";
import type { CapMessage } from "@loa/cap/message.ts";
import { CAP_AREA } from "@loa/cap/profile/names.ts";
import { type CapSigner, signCap } from "@loa/cap/sign.ts";
import { writeCap } from "@loa/cap/write.ts";
import { type CapBulletin, capFromBulletin } from "@loa/model/cap-from-bulletin.ts";

/** What a document is made of. Plain data, so that it goes into a thread. */
export interface CapDocument {
  readonly bulletin: CapBulletin;
  /** Of the communes and villages that were approved. */
  readonly codes: readonly string[];
}

/** @throws {Error} when what would be published is not what was approved, or no valid CAP. */
export function writeCapDocument(
  { bulletin, codes }: CapDocument,
  signer: CapSigner | undefined,
): Uint8Array {
  const ofProfile = write(bulletin, true, signer);
  const { valid, message } = checkCap(ofProfile, { profile: "loa" });
  if (valid) {
    requireApprovedArea(message, codes);
    return ofProfile;
  }
  // People may write what the profile forbids, such as a bare "cấp 4"; then it is CAP and says no more.
  const bare = write(bulletin, false, signer);
  requireApprovedArea(checkCap(bare).message, codes);
  return bare;
}

function write(
  bulletin: CapBulletin,
  followsProfile: boolean,
  signer: CapSigner | undefined,
): Uint8Array {
  const written = writeCap(capFromBulletin(bulletin, followsProfile));
  const signed = written.ok && signer ? signCap(written.bytes, signer) : written;
  if (signed.ok) return signed.bytes;
  const problems = signed.problems.map(({ rule, message }) => `${rule} ${message}`);
  throw new Error(`no CAP of ${bulletin.identifier}: ${problems.join("; ")}`);
}

function requireApprovedArea(message: CapMessage | undefined, approved: readonly string[]): void {
  if (message === undefined) throw new Error("a CAP document that was just written cannot be read");
  const wanted = new Set(approved);
  for (const { language, areas } of message.infos) {
    const found = new Set(
      areas
        .flatMap(({ geocodes }) => geocodes)
        .filter(({ valueName }) => valueName === CAP_AREA)
        .map(({ value }) => value),
    );
    const wrong = wanted.symmetricDifference(found);
    if (wrong.size > 0)
      throw new Error(`the CAP in ${language} and the approval differ in ${[...wrong].join(", ")}`);
  }
}
