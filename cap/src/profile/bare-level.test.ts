import { expect, test } from "vitest";
import { findBareLevels } from "./bare-level.ts";

const words = (text: string, language: "vi" | "en" = "vi"): string[] =>
  findBareLevels(text, language).map((found) => found.words);

test.each([
  ["Bão cấp 4 đi vào vùng biển Sông Lụa.", "cấp 4"],
  ["Cấp độ 3 trên toàn tỉnh.", "Cấp độ 3"],
  ["Gió giật mạnh. Đề phòng cấp 12.", "cấp 12"],
  ["Bão mạnh lên cấp 12 trong đêm.", "cấp 12"],
  ["Ban bố cấp 1 trên địa bàn xã.", "cấp 1"],
  ["Nguy cơ ở cấp IV.", "cấp IV"],
  ["Nguy cơ ở cấp ba.", "cấp ba"],
  ["Nước lên trên báo động 2.", "báo động 2"],
  ["Đã phát lệnh báo động số III.", "báo động số III"],
  // Not in NFC, as some systems write it.
  ["Ba\u0303o ca\u0302\u0301p 4 va\u0300o bo\u031b\u0300.", "cấp 4"],
])("says not of what: %s", (text, found) => {
  expect(words(text)).toEqual([found]);
});

test.each([
  "Cấp độ rủi ro thiên tai do bão: cấp 4.",
  "Rủi ro thiên tai do lũ quét cấp 3.",
  "Sức gió mạnh nhất cấp 11, giật cấp 14; ven biển gió mạnh cấp 9 đến cấp 11.",
  "Bão mạnh cấp 12 theo thang Bô-pho, sức gió cấp 12, giật cấp 15.",
  "Chủ tịch xã ban bố tình trạng phòng thủ dân sự cấp độ 1.",
  "Ban bố cấp độ 1 phòng thủ dân sự trên địa bàn xã.",
  "Nguy cơ cháy rừng ở cấp V.",
  "Mực nước sông Lụa tại trạm Bến Lụa trên báo động 2 là 0,3 m.",
  "Lũ trên sông Lụa ở mức báo động 1 đến báo động 2.",
  "Mực nước sông Lụa trên báo động cấp 2.",
  "Sơ tán đến trường cấp 3; nhà cấp 4 không an toàn, tránh xa đê cấp 3.",
  "Gọi cấp cứu 115. Chính quyền các cấp, cung cấp 2 tấn gạo, kinh phí cấp năm 2026.",
  "Khẩn cấp: 12 người cần cứu nạn. Cấp phát 4 thuyền.",
])("says of what: %s", (text) => {
  expect(words(text)).toEqual([]);
});

test("in English too", () => {
  expect(words("Typhoon at level 4.", "en")).toEqual(["level 4"]);
  expect(words("Water above alarm 2.", "en")).toEqual([]);
  expect(words("Sirens: alarm 2 in the town.", "en")).toEqual(["alarm 2"]);
  expect(words("Disaster risk level 4. Winds of level 11.", "en")).toEqual([]);
  expect(words("The chair declares civil-defence level 1.", "en")).toEqual([]);
});
