import type { ReactNode } from "react";

/** What was learned about a deployment, as a sentence, with what the vendor said. Unknown kinds are shown as they are. */
export function sentenceOf(quirk: unknown): ReactNode {
  const fields = (typeof quirk === "object" && quirk !== null ? quirk : {}) as Readonly<
    Record<string, unknown>
  >;
  const evidence = typeof fields.evidence === "string" ? fields.evidence : null;
  return (
    <>
      {factOf(fields)}
      {evidence === null ? null : <span className="sub evidence">“{evidence}”</span>}
    </>
  );
}

function factOf(fields: Readonly<Record<string, unknown>>): ReactNode {
  const name = (key: string): ReactNode => <code>{String(fields[key])}</code>;
  switch (fields.kind) {
    case "rename":
      return (
        <>
          It takes {name("to")} in place of {name("parameter")}.
        </>
      );
    case "drop":
      return (
        <>
          It refuses {name("parameter")}
          {fields.effort === undefined
            ? ""
            : fields.effort === null
              ? " when no reasoning effort is sent"
              : ` at reasoning effort ${String(fields.effort)}`}
          , which is left out.
        </>
      );
    case "no_stream_options":
      return (
        <>
          It refuses <code>stream_options</code>, so that streams come without usage.
        </>
      );
    case "stream_options":
      return (
        <>
          It takes <code>stream_options</code> and reports usage in streams when asked.
        </>
      );
    case "input_overhead":
      return overheadOf(fields);
    default:
      return <code>{JSON.stringify(fields)}</code>;
  }
}

/** What it bills for input beyond what the tokenizer counts, or short of it. */
function overheadOf({ tokens, shape, samples }: Readonly<Record<string, unknown>>): string {
  const count = typeof tokens === "number" ? tokens : 0;
  const what = shape === "tools" ? "requests with tools" : "each request";
  const size = Math.abs(count);
  const difference = `${size} ${size === 1 ? "token" : "tokens"} ${count < 0 ? "less" : "more"}`;
  return `It bills ${difference} for the input of ${what} than are counted here, seen in ${String(samples)} requests.`;
}
