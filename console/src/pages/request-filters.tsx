import { type FormEvent, type ReactNode, useEffect, useState } from "react";
import type { RequestRecord } from "../api/types.ts";
import { setParams } from "../lib/router.ts";
import { SelectField, TextField } from "../ui/form.tsx";
import { Button } from "../ui/parts.tsx";

/** What is asked for; "" = anything. They live in the address, so that a view can be sent to somebody. */
export interface Filters {
  readonly account: string;
  readonly key: string;
  readonly model: string;
  readonly endpoint: string;
  readonly status: string;
  readonly source: string;
}
export const noFilters: Filters = { account: "", key: "", model: "", endpoint: "", status: "", source: "" };

const statuses = [
  { value: "", name: "Any outcome" },
  { value: "open", name: "Open" },
  { value: "complete", name: "Complete" },
  { value: "client_left", name: "Client left" },
  { value: "vendor_cut", name: "Vendor cut" },
  { value: "vendor_error", name: "Vendor error" },
  { value: "recovered", name: "Recovered" },
  { value: "released", name: "Nothing billed" },
  { value: "refused", name: "Refused" },
];
const sources = [
  { value: "", name: "Any amount" },
  { value: "vendor", name: "Exact" },
  { value: "estimated", name: "Estimated" },
  { value: "none", name: "Nothing billed" },
];

export function RequestFilters({ filters }: { filters: Filters }): ReactNode {
  const [texts, setTexts] = useState(filters);
  useEffect(() => setTexts(filters), [filters]);
  const apply = (event: FormEvent): void => {
    event.preventDefault();
    const { account, key, model, endpoint } = texts;
    setParams({ account: account.trim(), key: key.trim(), model: model.trim(), endpoint: endpoint.trim() });
  };
  const text = (
    name: "account" | "key" | "model" | "endpoint",
    label: string,
    placeholder: string,
  ): ReactNode => (
    <TextField
      label={label}
      placeholder={placeholder}
      value={texts[name]}
      onChange={(value) => setTexts({ ...texts, [name]: value })}
    />
  );
  const isAny = Object.entries(noFilters).every(([name, value]) => filters[name as keyof Filters] === value);
  return (
    <search>
      <form className="filters" onSubmit={apply} aria-label="Filters">
        <SelectField
          label="Outcome"
          value={filters.status}
          choices={statuses}
          onChange={(status) => setParams({ status })}
        />
        <SelectField
          label="Amount"
          value={filters.source}
          choices={sources}
          onChange={(source) => setParams({ source })}
        />
        {text("model", "Model", "gpt-5-mini")}
        {text("endpoint", "Endpoint", "azure-east")}
        {text("account", "Account", "acc_…")}
        {text("key", "Key", "key_…")}
        <Button type="submit">Filter</Button>
        {isAny ? null : (
          <Button kind="quiet" onClick={() => setParams({ ...noFilters })}>
            Clear
          </Button>
        )}
      </form>
    </search>
  );
}

/** Whether a request of the live tail belongs to the view, as the server's list would decide. */
export function isShown(
  row: RequestRecord,
  { account, key, model, endpoint, status, source }: Filters,
): boolean {
  return (
    (account === "" || row.account_id === account) &&
    (key === "" || row.key_id === key) &&
    (model === "" || row.model_requested === model || row.model_served === model) &&
    (endpoint === "" || row.endpoint === endpoint) &&
    (status === "" || row.state === status || row.outcome === status) &&
    (source === "" || row.usage?.source === source)
  );
}
