import type { ReactNode } from "react";
import type { RequestRecord } from "../api/types.ts";

export type Tone = "good" | "warn" | "bad" | "info" | "plain";

export function Badge({
  tone,
  children,
  title,
}: {
  tone: Tone;
  children: ReactNode;
  title?: string;
}): ReactNode {
  return (
    <span className={`badge ${tone}`} title={title}>
      {children}
    </span>
  );
}

/** How sure an amount is: what the vendor reported, our estimate, or not decided yet. */
export function AmountStatus({ request }: { request: Pick<RequestRecord, "state" | "usage"> }): ReactNode {
  const { name, tone, title } = amountStatus(request);
  return (
    <Badge tone={tone} title={title}>
      {name}
    </Badge>
  );
}

export interface AmountCertainty {
  readonly name: "exact" | "estimated" | "pending" | "nothing billed" | "refused";
  readonly tone: Tone;
  readonly title: string;
}

export function amountStatus({ state, usage }: Pick<RequestRecord, "state" | "usage">): AmountCertainty {
  if (state === "open")
    return { name: "pending", tone: "info", title: "The request runs; its hold is set aside." };
  if (state === "refused")
    return { name: "refused", tone: "plain", title: "Refused before the vendor was called." };
  if (usage?.source === "vendor")
    return { name: "exact", tone: "good", title: "The vendor reported this usage." };
  if (usage?.source === "estimated")
    return {
      name: "estimated",
      tone: "warn",
      title: "The vendor reported no usage; tokens were counted here.",
    };
  return { name: "nothing billed", tone: "plain", title: "Nothing was generated; the hold was given back." };
}

const outcomes: Readonly<Record<string, { tone: Tone; name: string; title: string }>> = {
  complete: { tone: "good", name: "complete", title: "The vendor's answer came to its end." },
  client_left: {
    tone: "warn",
    name: "client left",
    title: "The client closed the connection before the end.",
  },
  vendor_cut: { tone: "bad", name: "vendor cut", title: "The vendor's answer broke off." },
  vendor_error: { tone: "bad", name: "vendor error", title: "The vendor answered with an error." },
  refused: { tone: "plain", name: "refused", title: "Refused before the vendor was called." },
  recovered: {
    tone: "warn",
    name: "recovered",
    title: "Settled after a crash, from the last known progress.",
  },
};

export function OutcomeBadge({ request }: { request: Pick<RequestRecord, "state" | "outcome"> }): ReactNode {
  if (request.state === "open") return <Badge tone="info">open</Badge>;
  const known = outcomes[request.outcome ?? ""];
  if (known === undefined) return <Badge tone="plain">{request.outcome ?? request.state}</Badge>;
  return (
    <Badge tone={known.tone} title={known.title}>
      {known.name}
    </Badge>
  );
}
