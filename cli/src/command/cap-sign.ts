// `loa cap sign` and `loa cap verify`: signatures of CAP files. Need no server.
import { createPrivateKey, createPublicKey } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { signCap } from "@loa/cap/sign.ts";
import { CAP_SIGNATURE_GRANTS, type CapSignatureGrant, verifyCap } from "@loa/cap/verify.ts";
import { readCap } from "@loa/cap/read.ts";
import { problemLine, readCapFile, readOptionsOf } from "../cap-file.ts";
import {
  answer,
  type Command,
  listOption,
  positional,
  requiredOption,
  textOption,
  UsageError,
} from "../command.ts";

const text = { type: "string" } as const;
const GRANTS = Object.keys(CAP_SIGNATURE_GRANTS) as CapSignatureGrant[];

export const capSign: Command = {
  name: "cap sign",
  usage: "FILE --key KEY.pem [--certificate CERT.pem] [--out SIGNED.xml]",
  summary: {
    en: "Sign a CAP 1.2 message; what comes out is published byte for byte",
    vi: "Ký số một bản tin CAP 1.2; kết quả được công bố nguyên vẹn từng byte",
  },
  help: [
    ["--key FILE", "the private key: RSA of 2048 bits or more, or EC P-256, as PEM"],
    ["--certificate FILE", "goes along as a hint; it proves nothing to a reader"],
    ["--out FILE", "where to; stdout otherwise"],
  ],
  options: { key: text, certificate: text, out: text },
  async run(context) {
    const { values, stdout, isJson } = context;
    const bytes = await readCapFile(positional(context, 0, "a CAP file"));
    const privateKey = await readKey(requiredOption(values, "key"), createPrivateKey);
    const certificateFile = textOption(values, "certificate");
    const certificate = certificateFile && (await readFile(certificateFile, "utf8"));
    const signed = signCap(bytes, { privateKey, ...(certificate && { certificate }) });
    if (!signed.ok)
      return { ok: false, document: signed, text: signed.problems.map(problemLine).join("\n") };
    const out = textOption(values, "out");
    if (out === undefined) {
      // Not as the answer's text, which would get a line end that the signer did not write.
      if (!isJson) stdout.write(signed.bytes);
      return answer({ ok: true, xml: new TextDecoder().decode(signed.bytes) }, "");
    }
    await writeFile(out, signed.bytes);
    return answer({ ok: true, out }, `signed: ${out}`);
  },
};

export const capVerify: Command = {
  name: "cap verify",
  usage: "FILE --key KEY.pem [--sender SENDER]",
  summary: {
    en: "Verify the signature of a CAP 1.2 message with a key that you know",
    vi: "Kiểm tra chữ ký số của bản tin CAP 1.2 bằng khóa đã biết",
  },
  help: [
    ["--key FILE", "the public key, or a certificate, of the sender, as PEM"],
    ["--sender SENDER", "whose key it is; if absent, that of whom the message names"],
    ["--grant LIST", GRANTS.map((name) => `${name}: ${CAP_SIGNATURE_GRANTS[name]}`).join("; ")],
  ],
  options: { key: text, sender: text, grant: { type: "string", multiple: true } },
  async run(context) {
    const { values } = context;
    const file = positional(context, 0, "a CAP file");
    const bytes = await readCapFile(file);
    const publicKey = await readKey(requiredOption(values, "key"), createPublicKey);
    const grants = listOption(values, "grant").map((name) => {
      const grant = GRANTS.find((each) => each === name);
      if (grant === undefined)
        throw new UsageError(`--grant knows ${GRANTS.join(", ")}, not ${name}`);
      return grant;
    });
    const sender = textOption(values, "sender") ?? readCap(bytes).message?.sender ?? "";
    const options = { ...readOptionsOf({}), keys: [{ sender, publicKey }], grants };
    const { verified, message, signatures, problems } = verifyCap(bytes, options);
    const heading = verified
      ? `${file}: verified, ${message?.identifier ?? ""} of ${sender}`
      : `${file}: not verified`;
    return {
      ok: verified,
      document: { file, verified, sender, signatures, problems },
      text: [heading, ...problems.map(problemLine)].join("\n"),
    };
  },
};

async function readKey<T>(file: string, parse: (pem: string) => T): Promise<T> {
  const pem = await readFile(file, "utf8");
  try {
    return parse(pem);
  } catch {
    throw new UsageError(`${file} holds no key of that kind as PEM`);
  }
}
