// A storm in Sông Lụa as its agencies send it: an order that is replaced, a commune's own warning, a
// notice that is taken back, an exercise and a public test. What the public then sees is the matter
// of the tests in this folder.
import { correctBulletin, updateBulletin } from "@loa/api/bulletin-chain.ts";
import {
  approveBulletin,
  cancelBulletin,
  createBulletin,
  issueBulletin,
  submitBulletin,
} from "@loa/api/bulletins.ts";
import type { Client } from "@loa/api/client.ts";
import { createIncident } from "@loa/api/incidents.ts";
import type { BulletinContent } from "@loa/model/bulletin.ts";
import { typhoonContent } from "@loa/model/typhoon-content.ts";

/** Who writes, who approves, and the account in whose name. */
export interface Desk {
  readonly author: Client;
  readonly approver: Client;
  readonly accountId: string;
}

type Wish = Parameters<typeof typhoonContent>[0];
type Sent = { readonly content: unknown };
/** The contract's own type of a content is made of the same fields, but not readonly. */
const asSent = (content: BulletinContent): Sent["content"] => content;

export const orderFor = (
  areas: readonly string[],
  wish: Partial<Wish> = {},
  change: Partial<BulletinContent> = {},
): BulletinContent =>
  ({
    ...typhoonContent({
      type: "Actual",
      target: { areas, zones: [], rule: { kind: "named" } },
      channels: ["live"],
      now: new Date(),
      ...wish,
    }),
    ...change,
  }) as BulletinContent;

/** From draft to issue, by two; answers the bulletin's id. */
export async function issue(
  desk: Desk,
  content: BulletinContent,
  updates: string[] = [],
): Promise<string> {
  const body = { accountId: desk.accountId, content: asSent(content), updates } as never;
  const { id } = await desk.author.ask(createBulletin, { body });
  return approveAndIssue(desk, id);
}

/** Takes a bulletin back; answers the id of the Cancel. */
export async function cancel(desk: Desk, id: string): Promise<string> {
  const reason = {
    vi: "Bản tin nêu sai địa bàn áp dụng.",
    en: "The bulletin named the wrong area.",
  };
  const draft = await desk.author.ask(cancelBulletin, { params: { id }, body: { reason } });
  return approveAndIssue(desk, draft.id);
}

/** Issues a correction or the last bulletin of a chain; answers its id. */
export async function follow(
  desk: Desk,
  id: string,
  step: "correction" | "last",
  content: BulletinContent,
): Promise<string> {
  const params = { id };
  const next = content as never;
  const draft =
    step === "last"
      ? await desk.author.ask(updateBulletin, { params, body: { content: next, last: true } })
      : await desk.author.ask(correctBulletin, { params, body: { content: next } });
  return approveAndIssue(desk, draft.id);
}

async function approveAndIssue({ author, approver }: Desk, id: string): Promise<string> {
  const params = { id };
  const { hash } = await author.ask(submitBulletin, { params, body: { version: 1 } });
  await approver.ask(approveBulletin, { params, body: { hash: hash ?? "" } });
  await author.ask(issueBulletin, { params });
  return id;
}

export interface Storm {
  readonly incidentId: string;
  readonly replaced: string;
  readonly order: string;
  readonly ofCommune: string;
  readonly faulty: string;
  readonly correction: string;
  readonly last: string;
  readonly cancelled: string;
  readonly exercise: string;
  readonly publicTest: string | undefined;
}

export async function sendStorm(province: Desk, commune: Desk, code: string): Promise<Storm> {
  const name = { vi: "Bão số 9", en: "Typhoon No. 9" };
  const { id: incidentId } = await province.author.ask(createIncident, {
    body: { hazard: "storm", name },
  });
  const replaced = await issue(
    province,
    orderFor(["SL"], { incidentId }, { number: "08/CĐ-PTDS" }),
  );
  const order = await issue(province, orderFor(["SL"], { incidentId }), [replaced]);
  const ofCommune = await issue(commune, warningOf(code));
  const right = { ...warningOf(code), number: "13/TB-PTDS" };
  const { vi } = right.texts;
  const short = vi.short.replace("từ 17 giờ", "từ 19 giờ");
  const faulty = await issue(commune, {
    ...right,
    texts: { ...right.texts, vi: { ...vi, short } },
  });
  const correction = await follow(commune, faulty, "correction", right);
  const last = await follow(commune, correction, "last", { ...right, number: "14/TB-PTDS" });
  const mistaken = await issue(province, noticeOf([code]));
  await cancel(province, mistaken);
  const exercise = await issue(province, orderFor(["SL"], { type: "Exercise" }));
  const hour = new Date(Date.now() + 7 * 3_600_000).getUTCHours();
  const publicTest =
    hour >= 8 && hour < 20
      ? await issue(province, orderFor(["SL"], { type: "PublicTest" }))
      : undefined;
  return {
    incidentId,
    replaced,
    order,
    ofCommune,
    faulty,
    correction,
    last,
    cancelled: mistaken,
    exercise,
    publicTest,
  };
}

const warningOf = (code: string): BulletinContent =>
  orderFor(
    [code],
    {},
    {
      number: "12/TB-PTDS",
      nature: "advice",
      hazard: "inundation",
      alongside: [],
      riskLevel: 2,
      items: [],
      texts: {
        vi: {
          headline: "Nước sông lên nhanh: bà con vùng thấp kê cao đồ đạc trước 17 giờ",
          short:
            "Nước sông Lụa lên nhanh, dự kiến ngập 0,3 đến 0,5 mét ở vùng thấp từ 17 giờ. Bà con kê cao đồ đạc, đưa người già, trẻ nhỏ đến nhà cao.",
          full: "Theo tin cảnh báo ngập lụt của Đài Khí tượng Thủy văn tỉnh, mực nước sông Lụa đang lên nhanh.\n\nĐề nghị bà con ở vùng thấp:\n1. Kê cao đồ đạc, lương thực, thuốc men trước 17 giờ.\n2. Đưa người già, trẻ nhỏ, phụ nữ có thai đến nhà cao hoặc nhà văn hóa thôn.\n3. Không vớt củi, không qua ngầm, tràn khi nước chảy xiết.\n\nCần cứu nạn, gọi 112.",
          spoken:
            "Bà con chú ý. Nước sông lên nhanh. Bà con vùng thấp kê cao đồ đạc trước mười bảy giờ. Cần cứu nạn, gọi một một hai.",
        },
        en: {
          headline: "River rising fast: raise your belongings before 17:00",
          short:
            "The Lụa river rises fast; low places will be 0.3 to 0.5 metres under water from 17:00. Raise belongings; take the old and the young to high houses.",
          full: "According to the inundation warning of the provincial station, the Lụa river rises fast.\n\nIn low places:\n1. Raise belongings, food and medicine before 17:00.\n2. Take the old, the young and pregnant women to high houses.\n3. Do not gather driftwood, and do not cross fords.\n\nFor rescue call 112.",
          spoken:
            "Attention please. The river rises fast. Raise your belongings before seventeen hundred. For rescue, call one one two.",
        },
      },
    },
  );

const noticeOf = (areas: readonly string[]): BulletinContent =>
  orderFor(areas, { kind: "notice" }, { number: "31/TB-PTDS", riskLevel: null });
