import { type FormEvent, type ReactNode, useId, useLayoutEffect, useRef } from "react";
import type { Action } from "../api/use-action.ts";
import { Icon } from "./icon.tsx";
import { Button, Failure } from "./parts.tsx";

interface FieldProps {
  readonly label: string;
  readonly hint?: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

export function TextField(
  props: FieldProps & {
    placeholder?: string;
    isRequired?: boolean;
    type?: "text" | "date" | "password";
    isLong?: boolean;
  },
): ReactNode {
  const id = useId();
  const { label, hint, value, onChange, placeholder, isRequired, type = "text", isLong = false } = props;
  const shared = {
    id,
    value,
    placeholder,
    required: isRequired,
    "aria-describedby": hint === undefined ? undefined : `${id}-hint`,
    autoComplete: "off",
    spellCheck: isLong,
  };
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {isLong ? (
        <textarea {...shared} rows={4} onChange={(event) => onChange(event.target.value)} />
      ) : (
        <input {...shared} type={type} onChange={(event) => onChange(event.target.value)} />
      )}
      {hint === undefined ? null : (
        <p className="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

export interface Choice {
  readonly value: string;
  readonly name: string;
}

export function SelectField({
  label,
  value,
  onChange,
  choices,
  hint,
  isInline,
}: FieldProps & { choices: readonly Choice[]; isInline?: boolean }): ReactNode {
  const id = useId();
  return (
    <div className={isInline === true ? "field inline" : "field"}>
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        value={value}
        onChange={(event) => onChange(event.target.value)}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
      >
        {choices.map((choice) => (
          <option key={choice.value} value={choice.value}>
            {choice.name}
          </option>
        ))}
      </select>
      {hint === undefined ? null : (
        <p className="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** The browser's own dialog: it keeps the focus inside, closes with Escape and gives the focus back. */
export function Dialog({ title, onClose, children }: DialogProps): ReactNode {
  const ref = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  // Closing before it is taken out gives the focus back to what opened it.
  useLayoutEffect(() => {
    const dialog = ref.current;
    if (dialog !== null && !dialog.open) dialog.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog ref={ref} aria-labelledby={titleId} onClose={onClose}>
      <header className="card-head">
        <h2 id={titleId}>{title}</h2>
        <button type="button" className="copy" aria-label="Close" onClick={() => ref.current?.close()}>
          <Icon name="close" />
        </button>
      </header>
      {children}
    </dialog>
  );
}

interface FormDialogProps extends DialogProps {
  readonly action: Action<void>;
  readonly verb: string;
  readonly isDanger?: boolean;
}

/** A dialog that does one thing: fields, what went wrong, and its verb. */
export function FormDialog({ title, onClose, children, action, verb, isDanger }: FormDialogProps): ReactNode {
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void action.run();
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <form onSubmit={submit} className="form">
        {children}
        {action.error === null ? null : <Failure error={action.error} />}
        <div className="actions end">
          <Button kind="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" kind={isDanger === true ? "danger" : "primary"} isDisabled={action.isRunning}>
            {verb}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** A secret that is shown once. */
export function Secret({ secret, what }: { secret: string; what: string }): ReactNode {
  return (
    <div className="secret">
      <p>
        Copy it now: only its hash is kept, and <strong>it is not shown again</strong>.
      </p>
      <Snippet text={secret} what={what} />
    </div>
  );
}

export function Snippet({ text, what }: { text: string; what: string }): ReactNode {
  return (
    <div className="snippet">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard. */}
      <section aria-label={what} tabIndex={0}>
        <pre>{text}</pre>
      </section>
      <Button icon="copy" onClick={() => void navigator.clipboard.writeText(text)}>
        Copy
      </Button>
    </div>
  );
}
