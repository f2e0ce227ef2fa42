import type { ReactNode } from "react";
import type { RequestDetail } from "../../api/types.ts";
import { formatDuration } from "../../lib/time.ts";
import { Amount } from "../../ui/amount.tsx";
import { type Attempt, readAttempts } from "./attempts.ts";

interface Step {
  readonly id: string;
  readonly name: string;
  readonly detail: ReactNode;
  /** Ms after the hold; null when it is not known. */
  readonly atMs: number | null;
  readonly tookMs: number | null;
  readonly tone: "plain" | "good" | "warn" | "bad";
}

/** From hold to settlement. Bars are drawn to scale; every one has its milliseconds beside it. */
export function Timeline({ request }: { request: RequestDetail }): ReactNode {
  const steps = stepsOf(request);
  const end = Math.max(1, ...steps.map((step) => (step.atMs ?? 0) + (step.tookMs ?? 0)));
  return (
    <ol className="timeline">
      {steps.map((step) => (
        <li key={step.id} className={step.tone}>
          <span className="when">{step.atMs === null ? "—" : `+${formatDuration(step.atMs)}`}</span>
          <span className="what">
            <strong>{step.name}</strong>
            <span className="sub">{step.detail}</span>
          </span>
          <span className="lane" aria-hidden="true">
            {step.atMs === null ? null : <Bar from={step.atMs / end} length={(step.tookMs ?? 0) / end} />}
          </span>
          <span className="took">{step.tookMs === null ? "" : formatDuration(step.tookMs)}</span>
        </li>
      ))}
    </ol>
  );
}

function Bar({ from, length }: { from: number; length: number }): ReactNode {
  return <span className="bar" style={{ left: `${from * 100}%`, width: `max(4px, ${length * 100}%)` }} />;
}

function stepsOf(request: RequestDetail): readonly Step[] {
  const start = Date.parse(request.created_at);
  const since = (at: string | null): number | null =>
    at === null ? null : Math.max(0, Date.parse(at) - start);
  const attempts = readAttempts(request.attempts);
  const isRefused = request.state === "refused";
  const first: Step = isRefused
    ? {
        id: "refused",
        name: "Refused",
        detail: <Required request={request} />,
        atMs: 0,
        tookMs: null,
        tone: "bad",
      }
    : {
        id: "hold",
        name: "Hold placed",
        detail: <HoldBasis request={request} />,
        atMs: 0,
        tookMs: null,
        tone: "plain",
      };
  return [
    first,
    ...attempts.map((attempt, index) => attemptStep(attempt, { index, since })),
    ...firstToken(request, attempts, since),
    ...endOf(request, since),
  ];
}

const HoldBasis = ({ request }: { request: RequestDetail }): ReactNode => (
  <>
    <Amount value={request.hold} /> credits, the most this request can cost
    {request.output_cap === null ? "" : ` with an output cap of ${request.output_cap} tokens`}
  </>
);
const Required = ({ request }: { request: RequestDetail }): ReactNode => (
  <>
    {request.refusal ?? "before the vendor was called"}
    {request.required === null ? null : (
      <>
        {" "}
        (needed <Amount value={request.required} /> credits)
      </>
    )}
  </>
);

type Since = (at: string | null) => number | null;

function attemptStep(attempt: Attempt, { index, since }: { index: number; since: Since }): Step {
  const atMs = since(attempt.startedAt);
  const endMs = since(attempt.endedAt);
  const isGood = attempt.status !== null && attempt.status < 400;
  return {
    id: `attempt-${index}`,
    name: `Vendor called: ${attempt.endpoint}`,
    detail: [
      attempt.deployment,
      attempt.status === null ? "no answer" : `HTTP ${attempt.status}`,
      attempt.reason,
    ]
      .filter(Boolean)
      .join(" · "),
    atMs,
    tookMs: atMs === null || endMs === null ? null : endMs - atMs,
    tone: isGood ? "good" : "bad",
  };
}

/** Measured from the arrival of the request, which is a little before its hold. */
function firstToken(request: RequestDetail, attempts: readonly Attempt[], since: Since): readonly Step[] {
  if (request.ttft_ms === null || attempts.length === 0) return [];
  const arrival = request.duration_ms === null ? 0 : arrivalBefore(request, since);
  return [
    {
      id: "first",
      name: "First token sent on",
      detail: `${formatDuration(request.ttft_ms)} after the request came in`,
      atMs: Math.max(0, request.ttft_ms - arrival),
      tookMs: null,
      tone: "plain",
    },
  ];
}

/** How long before its hold the request came in: the part of our own overhead that lies before the first call. */
function arrivalBefore(request: RequestDetail, since: Since): number {
  const settled = since(request.settled_at);
  return settled === null || request.duration_ms === null
    ? 0
    : Math.max(0, Math.min(request.overhead_ms ?? 0, request.duration_ms - settled));
}

function endOf(request: RequestDetail, since: Since): readonly Step[] {
  if (request.state === "open" || request.state === "refused") return [];
  const { usage } = request;
  const isEstimate = usage?.source === "estimated";
  const usageDetail =
    usage === null || usage.source === "none"
      ? "nothing was generated"
      : isEstimate
        ? `counted here (${usage.method ?? "estimate"}: ${usage.reason ?? ""})`
        : "reported by the vendor";
  const atMs = since(request.settled_at);
  return [
    {
      id: "usage",
      name: "Usage known",
      detail: usageDetail,
      atMs,
      tookMs: null,
      tone: isEstimate ? "warn" : "good",
    },
    {
      id: "settle",
      name: request.state === "settled" ? "Settled" : "Released",
      detail:
        request.state === "settled" ? (
          <>
            charge <Amount value={request.charge} form="exact" /> committed before the answer ended
          </>
        ) : (
          "the whole hold came back"
        ),
      atMs,
      tookMs: null,
      tone: "good",
    },
  ];
}
