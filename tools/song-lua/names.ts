// Invented names, natural to a Vietnamese ear: silk (lụa, tơ, tằm, kén, dâu, ươm), birds, salt
// and hills. None of them is a commune of the real country. English forms drop the accents.

/** Names for the wards of a town. */
export const TOWN_NAMES = [
  "Bến Lụa",
  "Phố Tơ",
  "Chợ Kén",
  "Hàng Tơ",
  "Hàng Cửi",
  "Cầu Lụa",
  "Guồng Tơ",
  "Khung Cửi",
  "Tơ Hồng",
  "Lụa Đào",
  "Đông Lụa",
  "Tây Lụa",
  "Vĩnh Tơ",
  "Kim Lụa",
  "Ngọc Tơ",
  "Phú Tơ",
  "An Kén",
  "Mỹ Lụa",
  "Cửa Ươm",
  "Bến Ươm",
  "Đông Ươm",
  "Tây Ươm",
  "Tân Dệt",
  "Phú Dệt",
  "Chợ Cửi",
  "Giếng Tơ",
] as const;

export const COAST_NAMES = [
  "Gành Nhạn",
  "Mũi Thoi",
  "Bãi Dâu",
  "Vạn Chài",
  "Cồn Sếu",
  "Lạch Tơ",
  "Đầm Sếu",
  "Ruộng Muối",
  "Hải Ngà",
  "Cát Ngà",
  "Bãi Còng",
  "Gành Lụa",
  "Vạn Nhạn",
  "Đầm Tơ",
  "Cồn Dâu",
  "Mũi Nhạn",
  "Lạch Nhạn",
  "Hải Thoi",
  "Lò Muối",
  "Cát Lụa",
] as const;

export const PLAIN_NAMES = [
  "Gò Dâu",
  "Đồng Tơ",
  "Tân Kén",
  "Làng Cửi",
  "Bàu Nhạn",
  "Láng Sếu",
  "Vườn Dâu",
  "Đình Dâu",
  "Miếu Tằm",
  "Nong Tằm",
  "Phước Tơ",
  "Bình Kén",
  "Xuân Lụa",
  "Diên Tơ",
  "Hòa Nhạn",
  "Long Tơ",
  "Mai Sa",
  "Phong Tơ",
  "Cẩm Sa",
  "Đồng Sếu",
  "Gò Sim",
  "Trường Dâu",
  "Lộc Nhạn",
  "Thanh Lụa",
  "Bàu Ươm",
  "Tam Lụa",
  "Nhơn Tơ",
  "Hương Dâu",
  "Diên Sa",
  "Mỹ Nhạn",
] as const;

export const HILL_NAMES = [
  "Đá Dựng",
  "Khe Mây",
  "Đèo Sương",
  "Núi Thoi",
  "Suối Ngà",
  "Thác Tơ",
  "Dốc Lụa",
  "Trảng Sim",
  "Rẫy Dâu",
  "Đá Ngà",
  "Ba Chẻm",
  "Khe Thoi",
  "Thác Sương",
  "Đồi Sim",
  "Suối Kén",
  "Hố Nhạn",
  "Ngàn Dâu",
  "Sơn Ngà",
  "Núi Mây",
  "Nà Sim",
] as const;

export const ISLAND_NAME = "Hòn Nhạn";

/** Names that any commune's villages may bear. */
export const VILLAGE_NAMES = [
  "Thượng",
  "Trung",
  "Hạ",
  "Đông",
  "Đoài",
  "Nam",
  "Bắc",
  "Chùa",
  "Đình",
  "Chợ",
  "Bến",
  "Cầu",
  "Giếng",
  "Vườn",
  "Gò",
  "Bàu",
  "Cây Đa",
  "Cây Gạo",
  "Bến Đò",
  "Xóm Mới",
  "Xóm Lò",
  "Đồng Trước",
  "Đồng Sau",
  "Tân Lập",
  "Tân Tiến",
  "Phú Hòa",
  "An Thái",
  "Vĩnh Lộc",
] as const;

/** Kinds of unit, as they stand before a Vietnamese and after an English name. */
export const KINDS = {
  tỉnh: { vi: "Tỉnh", en: "Province" },
  phường: { vi: "Phường", en: "Ward" },
  xã: { vi: "Xã", en: "Commune" },
  "đặc khu": { vi: "Đặc khu", en: "Special Zone" },
  thôn: { vi: "Thôn", en: "Village" },
} as const;
export type NamedKind = keyof typeof KINDS;

/** A unit's full name in both languages. */
export const nameUnit = (kind: NamedKind, name: string) => ({
  vi: `${KINDS[kind].vi} ${name}`,
  en: `${dropAccents(name)} ${KINDS[kind].en}`,
});

/** Vietnamese without marks: "Đá Dựng" becomes "Da Dung". */
export const dropAccents = (text: string): string =>
  text
    .normalize("NFD")
    .replaceAll(/[\u0300-\u036f]/gu, "")
    .replaceAll("đ", "d")
    .replaceAll("Đ", "D");
