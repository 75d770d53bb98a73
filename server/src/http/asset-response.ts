// Sends what was rendered beforehand: the form that the reader takes, or 304 when it has it.
import { type Asset, chooseEncoding, isKnown } from "../feed/asset.ts";

/** @param headers beside those that follow from the asset. */
export function sendAsset(
  request: Request,
  asset: Asset,
  headers: Readonly<Record<string, string>>,
  status = 200,
): Response {
  const encoding = chooseEncoding(asset, request.headers.get("accept-encoding"));
  const etag = asset.etags[encoding];
  const common = {
    ...headers,
    etag,
    "cache-control": asset.cacheControl,
    vary: "Accept-Encoding",
  };
  if (isKnown(etag, request.headers.get("if-none-match")))
    return new Response(null, { status: 304, headers: common });
  const body = asset.bodies[encoding];
  return new Response(body, {
    status,
    headers: {
      ...common,
      "content-type": asset.contentType,
      "content-length": String(body.byteLength),
      ...(encoding !== "identity" && { "content-encoding": encoding }),
    },
  });
}
