import type { ReactNode } from "react";

interface ChangesProps {
  readonly before: unknown;
  readonly after: unknown;
}

interface Change {
  readonly field: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** Changes that stand open; the rest folds out. */
const openMost = 2;

/** What a write changed, field by field: `status: active → frozen`. What it made has no before, what it removed no after. */
export function Changes({ before, after }: ChangesProps): ReactNode {
  const changes = changesOf(before, after);
  if (changes.length === 0) return <span className="muted">nothing</span>;
  const rest = changes.slice(openMost);
  return (
    <div className="changes">
      {changes.slice(0, openMost).map(lineOf)}
      {rest.length === 0 ? null : (
        <details>
          <summary>
            {rest.length} more {rest.length === 1 ? "field" : "fields"}
          </summary>
          {rest.map(lineOf)}
        </details>
      )}
    </div>
  );
}

const lineOf = ({ field, before, after }: Change): ReactNode => (
  <div key={field}>
    {field === "" ? null : <span className="muted">{field}: </span>}
    {before === null ? null : (
      <>
        <code>{before}</code> →{" "}
      </>
    )}
    <code>{after ?? "removed"}</code>
  </div>
);

/** What people look for first; the order of the rest is the record's. */
const first: readonly string[] = ["status", "amount", "reason", "name", "role", "model", "kind", "reference"];
const rankOf = (field: string): number => (first.includes(field) ? first.indexOf(field) : first.length);

/** Fields that differ. A new thing lists what it was made with, less what it left out and its id, which is the target. */
function changesOf(before: unknown, after: unknown): readonly Change[] {
  const [old, now] = [fieldsOf(before), fieldsOf(after)];
  return [...new Set([...Object.keys(now), ...Object.keys(old)])]
    .filter((field) => field !== "id")
    .map((field) => ({ field, before: textOf(old[field]), after: textOf(now[field]) }))
    .filter((change) => change.before !== change.after)
    .sort((a, b) => rankOf(a.field) - rankOf(b.field));
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  if (value === null || value === undefined) return {};
  return typeof value === "object" && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : { "": value };
}

const textOf = (value: unknown): string | null => {
  if (value === null || value === undefined) return null;
  return typeof value === "string" ? value : JSON.stringify(value);
};
