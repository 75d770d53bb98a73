// Whatever happens to a signed message on its way, by accident or on purpose: what verifies says what
// was signed. A mutation that verification does not see must be one that no reader sees either.
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readCap } from "./read.ts";
import { signCap } from "./sign.ts";
import { verifyCap } from "./verify.ts";

const fixture = readFileSync(new URL("../fixtures/loa-flash-flood-order.xml", import.meta.url));
const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const signed = signCap(fixture, { privateKey });
if (!signed.ok) throw new Error("the fixture cannot be signed");
const original = Buffer.from(signed.bytes).toString();
const { message } = readCap(fixture);
const keys = [{ sender: message?.sender ?? "", publicKey }];

const PIECES = [
  "<!-- c -->",
  "<?p i?>",
  " ",
  "\n",
  "\r\n",
  "<![CDATA[]]>",
  "<![CDATA[x]]>",
  "&#32;",
  "&#x4e;",
  "xmlns:x='u'",
  " xmlns='urn:oasis:names:tc:emergency:cap:1.2'",
  "<Signature xmlns='http://www.w3.org/2000/09/xmldsig#'/>",
  "<note>x</note>",
  "0",
  "=",
];

/** Cuts at the edges of tags, where a mutation is most likely to leave a document. */
const edges = Array.from(original.matchAll(/[<>]|="/gu), ({ index }) => index);
const place = fc.oneof(
  fc.nat(original.length - 1),
  fc.constantFrom(...edges),
  fc.constantFrom(...edges.map((edge) => edge + 1)),
);

test("what verifies is what was signed", () => {
  let verified = 0;
  fc.assert(
    fc.property(
      place,
      fc.oneof(fc.constant(0), fc.nat(3), fc.nat(200)),
      fc.constantFrom("", ...PIECES),
      (at, drop, piece) => {
        const mutant = original.slice(0, at) + piece + original.slice(at + drop);
        const check = verifyCap(Buffer.from(mutant), { keys });
        if (check.verified) verified++;
        const said = check.verified ? { ...check.message, signatures: 0 } : message;
        expect(said).toEqual(message);
      },
    ),
    { numRuns: 1_500 },
  );
  // Some mutations change nothing that is signed: comments, sections, other spellings.
  expect(verified).toBeGreaterThan(0);
});

test("a part of the message put where another part stands is seen", () => {
  const parts = Array.from(original.matchAll(/<(\w+)[^>]*>[^<]*<\/\1>/gu), ([part]) => part);
  fc.assert(
    fc.property(fc.constantFrom(...parts), fc.constantFrom(...parts), (one, other) => {
      const mutant = original.replace(one, () => other);
      expect(verifyCap(Buffer.from(mutant), { keys }).verified).toBe(mutant === original);
    }),
  );
});
