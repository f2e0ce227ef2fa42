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
            : ` at reasoning effort ${fields.effort === null ? "unsaid" : String(fields.effort)}`}
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
      return `It adds ${String(fields.tokens)} tokens to the input of ${fields.shape === "tools" ? "requests with tools" : "each request"}, seen in ${String(fields.samples)} requests.`;
    default:
      return <code>{JSON.stringify(fields)}</code>;
  }
}
