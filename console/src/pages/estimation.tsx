import type { ReactNode } from "react";
import { addressFor, adminPath } from "../api/client.ts";
import type { Estimation, Leak, List, UsageSample } from "../api/types.ts";
import { useQuery } from "../api/use-query.ts";
import { describeRange } from "../lib/range.ts";
import { useConsole } from "../lib/session.ts";
import { plainWords } from "../lib/words.ts";
import { type Dot, Scatter } from "../plots/scatter.tsx";
import type { Series } from "../plots/types.ts";
import { useRange } from "../range-picker.tsx";
import { Answer, Card, Empty, PageHead, shortId } from "../ui/parts.tsx";
import { AccuracyCard } from "./estimation/accuracy.tsx";
import { LeakByDeployment, LeakSummary } from "./estimation/leak.tsx";

const dotsMost = 500;

/** What would billing by estimates cost, and how good are they? */
export function EstimationPage(): ReactNode {
  const { zone } = useConsole();
  const range = useRange();
  const { from, to } = range;
  const estimationAddress = addressFor(adminPath("/reports/estimation"), { from, to, limit: 200 });
  const leakAddress = addressFor(adminPath("/reports/leak"), { from, to, limit: 200 });
  const estimation = useQuery<List<Estimation>>(estimationAddress);
  const leak = useQuery<List<Leak>>(leakAddress);
  const samples = useQuery<List<UsageSample>>(
    addressFor(adminPath("/reports/estimation/samples"), { from, to, limit: dotsMost }),
  );
  return (
    <>
      <PageHead title="Estimation & leak" crumb={describeRange(range, zone)} />
      <p className="muted lead">
        A sample of the requests whose usage the vendor reported is estimated as well. So it is known how far
        off the charge is when only an estimate is to be had, and what a gateway loses that bills by estimates
        always.
      </p>
      <Answer of={leak}>
        {({ data }) => (data.length === 0 ? <NoSamples /> : <LeakSummary rows={data} />)}
      </Answer>
      <Answer of={samples}>{({ data }) => (data.length === 0 ? null : <Plots samples={data} />)}</Answer>
      <Answer of={leak}>
        {({ data }) => (data.length === 0 ? null : <LeakByDeployment rows={data} csv={leakAddress} />)}
      </Answer>
      <Answer of={estimation}>
        {({ data }) => (data.length === 0 ? null : <AccuracyCard rows={data} csv={estimationAddress} />)}
      </Answer>
    </>
  );
}

const NoSamples = (): ReactNode => (
  <Card>
    <Empty title="No samples in this period">
      <p>
        <code>estimates.sample_rate</code> says how many of the requests are estimated as well.
      </p>
    </Empty>
  </Card>
);

function Plots({ samples }: { samples: readonly UsageSample[] }): ReactNode {
  const kinds = [...new Set(samples.map((sample) => sample.kind))].sort();
  const series = kinds.map((kind, index): Series => ({ id: kind, name: plainWords(kind), colour: index }));
  const size = samples.length === dotsMost ? `The newest ${dotsMost} samples` : `${samples.length} samples`;
  const note = `${size}; above the line, the estimate is too small`;
  const dots = (estimate: (sample: UsageSample) => number) =>
    samples.map(
      (sample): Dot => ({
        id: sample.request_id,
        label: `${sample.model} ${shortId(sample.request_id)}`,
        series: sample.kind,
        x: estimate(sample),
        y: sample.vendor_output,
      }),
    );
  const shared = { note, series, yName: "vendor's output tokens", empty: "No samples in this period." };
  return (
    <div className="columns">
      <Scatter
        title="Output: tokenizer against vendor"
        dots={dots((sample) => sample.estimated_output)}
        xName="tokenizer"
        {...shared}
      />
      <Scatter
        title="Output: characters ÷ 4 against vendor"
        dots={dots((sample) => Math.ceil(sample.output_characters / 4))}
        xName="characters ÷ 4"
        {...shared}
      />
    </div>
  );
}
