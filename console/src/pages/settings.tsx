import { type ReactNode, useState } from "react";
import { addressFor, adminPath } from "../api/client.ts";
import type { AuditRecord, List, Settings } from "../api/types.ts";
import { useQuery } from "../api/use-query.ts";
import { may, useConsole } from "../lib/session.ts";
import { usePages } from "../lib/use-pages.ts";
import { CsvLink, Pager } from "../ui/pager.tsx";
import { Answer, Button, Card, Empty, Fact, Facts, PageHead, Time } from "../ui/parts.tsx";
import { type Column, Table } from "../ui/table.tsx";
import { Changes } from "./settings/changes.tsx";
import { TokensCard } from "./settings/tokens.tsx";

/** The configuration in force and where each value comes from, who may administer, and who did what. */
export function SettingsPage(): ReactNode {
  const { session } = useConsole();
  const settings = useQuery<Settings>(addressFor(adminPath("/settings")));
  return (
    <>
      <PageHead title="Settings" />
      <Answer of={settings}>{(found) => <ConfigCards settings={found} />}</Answer>
      {may(session, "owner") ? <TokensCard /> : null}
      <AuditCard />
    </>
  );
}

type Value = Settings["values"][number];

function ConfigCards({ settings }: { settings: Settings }): ReactNode {
  const { session, zone } = useConsole();
  const [hasDefaults, setDefaults] = useState(false);
  const values = hasDefaults
    ? settings.values
    : settings.values.filter((value) => value.origin !== "default");
  return (
    <div className="stack">
      <Card title="This server">
        <Facts>
          <Fact name="Version">{settings.version}</Fact>
          <Fact name="Node">{settings.node}</Fact>
          <Fact name="Store">{settings.store === "postgres" ? "PostgreSQL" : "embedded (PGlite)"}</Fact>
          <Fact name="Configuration file">{settings.file ?? "none"}</Fact>
          <Fact name="Reporting time zone">{zone}</Fact>
          <Fact name="One credit">
            ${session.credit.usd} ({session.credit.name})
          </Fact>
        </Facts>
      </Card>
      <Card
        isFlush
        title="Configuration in force"
        note="Read once at the start; secrets are hidden. A flag goes before the environment, the environment before the file, the file before the default."
        actions={
          <Button isPressed={hasDefaults} onClick={() => setDefaults(!hasDefaults)}>
            Defaults too
          </Button>
        }
      >
        <Table
          caption="Configuration in force"
          columns={columns}
          rows={values}
          keyOf={(value) => value.path}
          isDense
        />
      </Card>
    </div>
  );
}

const columns: readonly Column<Value>[] = [
  { id: "path", head: "Setting", cell: (value) => <code>{value.path}</code> },
  {
    id: "value",
    head: "Value",
    isElastic: true,
    cell: (value) => <code title={shown(value.value)}>{shown(value.value)}</code>,
  },
  {
    id: "origin",
    head: "Comes from",
    isElastic: true,
    cell: (value) => (value.origin === "default" ? <span className="muted">default</span> : value.origin),
  },
];

const shown = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

const pageRows = 20;

function AuditCard(): ReactNode {
  const base = addressFor(adminPath("/audit"));
  const pages = usePages(base);
  const list = useQuery<List<AuditRecord>>(addressFor(base, { limit: pageRows, cursor: pages.cursor }));
  return (
    <Card
      isFlush
      title="Audit log"
      note="Who changed what; nothing here can be changed or removed"
      actions={<CsvLink address={base} />}
    >
      <Answer of={list}>
        {({ data, next_cursor }) => (
          <>
            {data.length === 0 ? (
              <Empty title="Nothing was changed yet" />
            ) : (
              <Table
                caption="Audit log, newest first"
                columns={auditColumns}
                rows={data}
                keyOf={(record) => record.id}
                isDense
              />
            )}
            <Pager pages={pages} nextCursor={next_cursor} />
          </>
        )}
      </Answer>
    </Card>
  );
}

const auditColumns: readonly Column<AuditRecord>[] = [
  { id: "time", head: "Time", cell: (record) => <Time at={record.at} form="second" /> },
  { id: "actor", head: "Who", cell: (record) => record.actor },
  { id: "action", head: "Did", cell: (record) => <code>{record.action}</code> },
  {
    id: "target",
    head: "To",
    isElastic: true,
    cell: (record) => <code title={record.target}>{record.target}</code>,
  },
  {
    id: "change",
    head: "Before → after",
    isWrapped: true,
    cell: (record) => <Changes before={record.before} after={record.after} />,
  },
];
