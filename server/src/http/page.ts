// A page of a list: one row more than wanted is read, and tells whether there is a next page.

/** `rows` was read with a limit of `limit + 1`, in the order in which pages follow. */
export function pageOf<T extends { readonly id: string }>(
  rows: readonly T[],
  limit: number,
): { items: T[]; next: string | null } {
  const items = rows.slice(0, limit);
  return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}
