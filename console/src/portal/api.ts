import { createContext, useContext } from "react";
import type { presentOwnGrant, presentOwnKey, presentReceipt } from "../../../src/console/portal-present.ts";
import type { UsageTotals } from "../api/types.ts";

export type Receipt = ReturnType<typeof presentReceipt>;
export type OwnGrant = ReturnType<typeof presentOwnGrant>;
export type OwnKey = ReturnType<typeof presentOwnKey>;

/** `GET /portal/v1/account`. Amounts are credits. */
export interface OwnAccount {
  readonly name: string;
  readonly status: "active" | "frozen";
  readonly total_granted: string;
  readonly used: string;
  readonly expired: string;
  readonly voided: string;
  readonly held: string;
  readonly available: string;
  readonly hours_left: number | null;
  readonly grants: readonly OwnGrant[];
  readonly credit: { readonly name: string; readonly usd: string };
  readonly time_zone: string;
  readonly expires_at: string;
}

type OwnSums = Omit<UsageTotals, "vendor_cost_usd" | "loss_usd">;
export interface OwnUsage {
  readonly data: readonly (OwnSums & { readonly bucket: string; readonly model: string | null })[];
  readonly has_more: boolean;
  readonly totals: OwnSums;
}

const storageKey = "tollgate-portal-token";

/** The token of the address, which is kept for this tab only and taken out of the address and its history. */
export function takeToken(): string | null {
  const found = /(?:^|[#&])token=([A-Za-z0-9-]+)/.exec(window.location.hash)?.[1];
  try {
    if (found === undefined) return sessionStorage.getItem(storageKey);
    sessionStorage.setItem(storageKey, found);
  } catch (error) {
    // Storage may be forbidden; then a reload needs the address again.
    console.info("The token is not remembered:", error);
  }
  window.history.replaceState(null, "", "#");
  return found ?? null;
}

export const TokenContext = createContext("");

/** Headers that open the account. The same object every time, so that nothing is fetched twice. */
export const useToken = (): string => useContext(TokenContext);

export const portalPath = (path: string): string => `v1${path}`;
