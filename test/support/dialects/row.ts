/** One row of docs/reference/dialects.md: a fact about vendors, what Tollgate makes of it, and the test that proves it. */

export type Stand = "supported" | "refused" | "not applicable";

export interface DialectRow {
  readonly fact: string;
  readonly stand: Stand;
  readonly how: string;
  /** A test file, and a part of one of its titles; null for what has nothing to run. */
  readonly proof: readonly [file: string, title: string] | null;
}

export const e2e = (name: string): string => `test/e2e/${name}.test.ts`;
export const yes = (fact: string, how: string, proof: readonly [string, string]): DialectRow => ({
  fact,
  stand: "supported",
  how,
  proof,
});
export const no = (fact: string, how: string, proof: readonly [string, string]): DialectRow => ({
  fact,
  stand: "refused",
  how,
  proof,
});
export const none = (fact: string, how: string): DialectRow => ({
  fact,
  stand: "not applicable",
  how,
  proof: null,
});

export const recorded = [e2e("fixtures"), "gives its reading"] as const;
export const view = [e2e("fixtures"), "reaches a client that asked byte for byte"] as const;
export const unasked = [
  e2e("fixtures"),
  "reaches a client that did not ask without what only Tollgate asked for",
] as const;
export const aVendor = [e2e("vendors"), "streamed with usage"] as const;
export const inProfile = [e2e("vendors"), "streamed without asking for usage"] as const;
export const oddStream = (title: string): readonly [string, string] => [e2e("odd-streams"), title];
export const oddBody = (title: string): readonly [string, string] => [e2e("odd-bodies"), title];

export type DialectRows = Readonly<Record<string, readonly DialectRow[]>>;
