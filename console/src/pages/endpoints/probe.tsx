import { type ReactNode, useCallback, useState } from "react";
import { addressFor, adminPath, call } from "../../api/client.ts";
import type { ProbePlan, ProbeReport } from "../../api/types.ts";
import { useAction } from "../../api/use-action.ts";
import { useQuery } from "../../api/use-query.ts";
import { newKey } from "../../lib/idempotency.ts";
import { Amount } from "../../ui/amount.tsx";
import { Badge, type Tone } from "../../ui/badge.tsx";
import { Dialog, FormDialog, TextField } from "../../ui/form.tsx";
import { Answer } from "../../ui/parts.tsx";

interface ProbeProps {
  readonly endpoint: string;
  readonly deployment: string;
  readonly onClose: () => void;
}

/** Says what a probe costs at most, makes it, and shows what it found. */
export function ProbeDialog({ endpoint, deployment, onClose }: ProbeProps): ReactNode {
  const path = `/endpoints/${encodeURIComponent(endpoint)}/probe`;
  const plan = useQuery<ProbePlan>(addressFor(adminPath(`${path}/plan`), { deployment }));
  const [maxCost, setMaxCost] = useState("0.05");
  const [isSaving, setSaving] = useState(true);
  const [report, setReport] = useState<ProbeReport | null>(null);
  const [key] = useState(newKey);
  const probe = useAction(
    useCallback(async () => {
      const body = { deployment, save: isSaving, max_cost_usd: maxCost.trim() };
      setReport(
        await call<ProbeReport>(addressFor(adminPath(path)), {
          method: "POST",
          body,
          headers: { "idempotency-key": key },
        }),
      );
    }, [path, deployment, isSaving, maxCost, key]),
  );
  if (report !== null) return <ReportDialog deployment={deployment} report={report} onClose={onClose} />;
  return (
    <FormDialog
      title={`Probe ${deployment}`}
      verb={probe.isRunning ? "Probing…" : "Probe now"}
      action={probe}
      onClose={onClose}
    >
      <Answer of={plan}>
        {({ calls, largest_cost_usd: largest }) => (
          <p>
            {calls} small requests go to the vendor.{" "}
            {largest === null ? (
              "No price is known for it, so neither is what they cost."
            ) : (
              <>
                Together they cost at most <Amount value={largest} unit="usd" />, usually much less.
              </>
            )}{" "}
            It is booked as the operator's vendor cost; no customer pays.
          </p>
        )}
      </Answer>
      <TextField
        label="Spend at most, USD"
        value={maxCost}
        onChange={setMaxCost}
        isRequired
        hint="Requests that might exceed it are left out."
      />
      <label className="check">
        <input type="checkbox" checked={isSaving} onChange={(event) => setSaving(event.target.checked)} />
        Go by what is found from now on
      </label>
    </FormDialog>
  );
}

const tones: Readonly<Record<string, Tone>> = {
  critical: "bad",
  high: "bad",
  warning: "warn",
  medium: "warn",
  low: "info",
  info: "info",
};

function ReportDialog({
  deployment,
  report,
  onClose,
}: {
  deployment: string;
  report: ProbeReport;
  onClose: () => void;
}): ReactNode {
  return (
    <Dialog title={`What the probe of ${deployment} found`} onClose={onClose}>
      <p>
        {report.cost.calls} requests cost <Amount value={report.cost.known_usd} unit="usd" />
        {report.cost.refused > 0
          ? `; ${report.cost.refused} were refused, which is part of the measurement`
          : ""}
        .
      </p>
      {report.findings.length === 0 ? <p className="gap">Nothing odd was found.</p> : null}
      <ul className="sentences gap">
        {report.findings.map((finding) => (
          <li key={finding.id}>
            <div className="row">
              <Badge tone={tones[finding.severity] ?? "plain"}>{finding.severity}</Badge>{" "}
              <strong>{finding.title}</strong> <code>{finding.id}</code>
            </div>
            <p>{finding.meaning}</p>
            <p className="sub">{finding.advice}</p>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
