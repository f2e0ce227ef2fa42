import { type ReactNode, useState } from "react";
import { addressFor, adminPath } from "../api/client.ts";
import type { Endpoint, List } from "../api/types.ts";
import { useQuery } from "../api/use-query.ts";
import { may, useConsole } from "../lib/session.ts";
import { Badge, type Tone } from "../ui/badge.tsx";
import { Answer, Button, Card, Empty, Fact, Facts, Link, PageHead, Time } from "../ui/parts.tsx";
import { ProbeDialog } from "./endpoints/probe.tsx";
import { sentenceOf } from "./endpoints/quirks.tsx";

const refreshMs = 10_000;

/** Are the vendors well, and what is odd about them? */
export function EndpointsPage(): ReactNode {
  const list = useQuery<List<Endpoint>>(addressFor(adminPath("/endpoints"), { limit: 200 }), {
    everyMs: refreshMs,
  });
  return (
    <>
      <PageHead title="Endpoints" />
      <Answer of={list}>
        {({ data }) =>
          data.length === 0 ? (
            <Card>
              <Empty title="No endpoints are configured">
                <p>
                  Name one under <code>endpoints</code> in <code>tollgate.yaml</code>.
                </p>
              </Empty>
            </Card>
          ) : (
            <div className="stack">
              {data.map((endpoint) => (
                <EndpointCard key={endpoint.name} endpoint={endpoint} onDone={list.reload} />
              ))}
            </div>
          )
        }
      </Answer>
    </>
  );
}

const states: Readonly<Record<Endpoint["state"], { tone: Tone; title: string }>> = {
  healthy: { tone: "good", title: "The last call was answered." },
  cooling: { tone: "warn", title: "It failed and is not asked for a moment." },
  unused: { tone: "plain", title: "Not asked since this process started." },
};

function EndpointCard({ endpoint, onDone }: { endpoint: Endpoint; onDone: () => void }): ReactNode {
  const { tone, title } = states[endpoint.state];
  return (
    <Card
      title={endpoint.name}
      note={`${endpoint.kind === "azure" ? "Azure OpenAI" : "OpenAI API"} at ${endpoint.base_url}`}
      actions={
        <>
          <Link to="/requests" params={{ endpoint: endpoint.name }}>
            Its requests
          </Link>
          <Badge tone={tone} title={title}>
            {endpoint.state}
          </Badge>
        </>
      }
    >
      <Facts>
        <Fact name="API version">{endpoint.api_version ?? "—"}</Fact>
        {endpoint.until === null ? null : (
          <Fact name="Asked again from">
            <Time at={endpoint.until} form="second" />
          </Fact>
        )}
        <Fact name="Last error, in this process" isWide>
          {endpoint.last_error ?? "none"}
        </Fact>
      </Facts>
      <ul className="deployments">
        {endpoint.deployments.map((deployment) => (
          <DeploymentItem
            key={deployment.deployment}
            endpoint={endpoint.name}
            deployment={deployment}
            onDone={onDone}
          />
        ))}
      </ul>
    </Card>
  );
}

interface DeploymentProps {
  readonly endpoint: string;
  readonly deployment: Endpoint["deployments"][number];
  readonly onDone: () => void;
}

function DeploymentItem({ endpoint, deployment, onDone }: DeploymentProps): ReactNode {
  const { session } = useConsole();
  const [isProbing, setProbing] = useState(false);
  return (
    <li>
      <div className="row between">
        <span>
          <h3>{deployment.deployment}</h3>
          <span className="sub">
            {deployment.model}
            {deployment.served_as.length === 0 ? "" : `, served as ${deployment.served_as.join(", ")}`}
          </span>
        </span>
        {may(session, "operator") ? (
          <Button onClick={() => setProbing(true)} label={`Probe ${deployment.deployment}`}>
            Probe…
          </Button>
        ) : null}
      </div>
      {deployment.quirks.length === 0 ? (
        <p className="muted">Nothing odd was learned about it yet.</p>
      ) : (
        <ul className="sentences">
          {deployment.quirks.map((quirk) => (
            <li key={JSON.stringify(quirk)}>{sentenceOf(quirk)}</li>
          ))}
        </ul>
      )}
      {isProbing ? (
        <ProbeDialog
          endpoint={endpoint}
          deployment={deployment.deployment}
          onClose={() => {
            setProbing(false);
            onDone();
          }}
        />
      ) : null}
    </li>
  );
}
