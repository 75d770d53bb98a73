// The server's own keys: Ed25519 for approvals and issued bulletins, ECDSA for CAP documents, and the
// secret of device tokens. They live in the data folder, readable by the owner alone, and are made on first use.
// Losing them makes old signatures unverifiable and all device tokens void: back them up.
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  verify,
} from "node:crypto";
import { chmodSync, existsSync, linkSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** HMAC-SHA256 gains nothing from a longer secret. */
const TOKEN_SECRET_BYTES = 32;
/** Enough to tell the keys of one installation apart; not a secret. */
const KEY_ID_LENGTH = 16;

/** PEM text and bytes, so that a child process can be handed them as they are. */
export interface ServerKeys {
  readonly signing: {
    readonly keyId: string;
    /** PKCS 8, PEM. */
    readonly privateKey: string;
    /** SPKI, PEM. */
    readonly publicKey: string;
  };
  readonly token: { readonly keyId: string; readonly secret: Buffer };
  /** Signs CAP documents: XML signatures know no Ed25519, so this is ECDSA on P-256. PEM, both. */
  readonly cap: { readonly privateKey: string; readonly publicKey: string };
}

/**
 * Reads the keys of a data folder, or makes them.
 * @throws {Error} when a file is there and is not a key: a guess would void every signature.
 */
export function loadServerKeys(dataFolder: string): ServerKeys {
  const folder = join(dataFolder, "keys");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const privateKey = readOrMake(join(folder, "signing.pem"), () =>
    generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }),
  );
  const publicKey = createPublicKey(createPrivateKey(privateKey));
  const secret = Buffer.from(
    readOrMake(join(folder, "token-secret"), () =>
      randomBytes(TOKEN_SECRET_BYTES).toString("hex"),
    ).trim(),
    "hex",
  );
  const capKey = readOrMake(join(folder, "cap.pem"), () =>
    generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({
      type: "pkcs8",
      format: "pem",
    }),
  );
  if (secret.length !== TOKEN_SECRET_BYTES)
    throw new Error(`${join(folder, "token-secret")} does not hold ${TOKEN_SECRET_BYTES} bytes`);
  return {
    signing: {
      keyId: keyIdOf(publicKey.export({ type: "spki", format: "der" })),
      privateKey,
      publicKey: publicKey.export({ type: "spki", format: "pem" }),
    },
    // The id names the secret without giving it away.
    token: { keyId: keyIdOf(Buffer.concat([Buffer.from("token"), secret])), secret },
    cap: {
      privateKey: capKey,
      publicKey: createPublicKey(createPrivateKey(capKey)).export({ type: "spki", format: "pem" }),
    },
  };
}

const keyIdOf = (bytes: Uint8Array): string =>
  createHash("sha256").update(bytes).digest("hex").slice(0, KEY_ID_LENGTH);

/** Two processes may start at once: the link decides, and the loser reads what the winner made. */
function readOrMake(path: string, make: () => string): string {
  if (!existsSync(path)) {
    const draft = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
    writeFileSync(draft, make(), { mode: 0o600, flag: "wx", flush: true });
    try {
      linkSync(draft, path);
    } catch (fault) {
      if ((fault as NodeJS.ErrnoException).code !== "EEXIST") throw fault;
    } finally {
      rmSync(draft, { force: true });
    }
  }
  chmodSync(path, 0o600);
  return readFileSync(path, "utf8");
}

/** Signs UTF-8 text with the server's key. */
export const signText = (keys: ServerKeys, text: string): Buffer =>
  sign(null, Buffer.from(text, "utf8"), keys.signing.privateKey);

/** Whether a signature over UTF-8 text was made by the holder of a public key. */
export const verifyText = (publicKey: string, text: string, signature: Uint8Array): boolean =>
  verify(null, Buffer.from(text, "utf8"), publicKey, signature);
