import { type FormEvent, type ReactNode, useEffect, useState } from "react";
import { setParams } from "../lib/router.ts";
import { TextField } from "./form.tsx";
import { Button } from "./parts.tsx";

/** A search that lives in the address. */
export function Search({
  label,
  value,
  placeholder,
  children,
}: {
  label: string;
  value: string;
  placeholder: string;
  children?: ReactNode;
}): ReactNode {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const apply = (event: FormEvent): void => {
    event.preventDefault();
    setParams({ search: text.trim() });
  };
  return (
    <search>
      <form className="filters" onSubmit={apply} aria-label="Filters">
        {children}
        <TextField label={label} value={text} onChange={setText} placeholder={placeholder} />
        <Button type="submit">Search</Button>
      </form>
    </search>
  );
}
