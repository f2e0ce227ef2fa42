import type { ReactNode } from "react";

/** The gate of the logo. */
export const Mark = (): ReactNode => (
  <svg viewBox="0 0 32 32" aria-hidden="true" focusable="false">
    <rect width="32" height="32" rx="7" fill="#0f766e" />
    <path d="M8 25V9M8 12h17M5 25h6" fill="none" stroke="#fff" strokeWidth="3" strokeLinecap="round" />
    <path d="M13 12h3.400M20 12h3" fill="none" stroke="#f59e0b" strokeWidth="3" />
  </svg>
);
