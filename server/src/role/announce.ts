// What a person, or with LOA_READY_JSON a program, is told once Loa runs.
import type { Config } from "../config.ts";
import type { Installation } from "./supervisor.ts";

export function announce(installation: Installation, config: Config): void {
  const { api, stream, dataFolder, demonstration } = installation;
  if (config.readyJson === "on") {
    const pids = installation.pids();
    process.stdout.write(`${JSON.stringify({ ready: true, api, stream, dataFolder, pids })}\n`);
    return;
  }
  const addresses = [
    [`${api}/`, "for everybody: what is in force, check a notice / trang công khai"],
    [`${api}/feeds/alerts.atom`, "the same as feeds: Atom, GeoJSON, CAP / nguồn tin cho máy"],
    [`${api}/docs`, "the API, to read / tài liệu API"],
    [`${api}/v1/openapi.json`, "the same for programs / cho phần mềm"],
    [`${api}/v1/health`, "whether all is well / tình trạng hệ thống"],
    [stream, "for devices: live stream and receipts / cho thiết bị người nhận"],
  ] as const;
  const width = Math.max(...addresses.map(([address]) => address.length));
  const lines = ["", "Loa runs / Loa đang chạy", ""];
  for (const [address, what] of addresses) lines.push(`  ${address.padEnd(width)}  ${what}`);
  lines.push("");
  if (demonstration) {
    lines.push(
      `Demonstration: the invented province Sông Lụa. Keys (also in ${demonstration.keyFile}):`,
      "",
    );
    for (const { key, post, agency, roles } of demonstration.members)
      lines.push(`  ${key}  ${agency}: ${post} (${roles.join(", ")})`);
    lines.push("", "Try the main job: npm run -s loa -- drill");
  }
  lines.push("Ctrl-C ends everything.", "");
  process.stdout.write(lines.join("\n"));
}
