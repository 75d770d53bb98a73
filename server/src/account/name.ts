// Names of agencies, accounts, posts and people: one line that hides nothing.
import { type Fault, Problem } from "@loa/model/problem.ts";
import { type Bilingual, LANGUAGES, textFault } from "@loa/model/text.ts";

/** Longest name of an agency, account, post or person. */
export const ACCOUNT_NAME_MAX = 160;

export const checkName = (at: string, name: Bilingual): Fault[] =>
  LANGUAGES.flatMap((language) => {
    const what = textFault(name[language], { max: ACCOUNT_NAME_MAX, lines: false });
    return what === undefined ? [] : [{ at: `${at}/${language}`, what }];
  });

export function refuse(faults: readonly Fault[]): void {
  if (faults.length > 0)
    throw new Problem("request-invalid", "Some fields cannot be used.", faults);
}
