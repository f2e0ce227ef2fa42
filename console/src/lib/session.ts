import { createContext, useContext } from "react";
import type { Session } from "../api/types.ts";

/** Who is logged in, and what all pages share. */
export interface Console {
  readonly session: Session;
  readonly zone: string;
  logout(): void;
}

export const ConsoleContext = createContext<Console | null>(null);

export function useConsole(): Console {
  const found = useContext(ConsoleContext);
  if (found === null) throw new Error("Bug: a page is shown outside of the console");
  return found;
}

const rights = {
  owner: ["operator", "finance"],
  operator: ["operator"],
  finance: ["finance"],
  viewer: [],
} as const;

/** Whether the person may do what needs `role`; the server decides again. */
export const may = (session: Session, role: "operator" | "finance" | "owner"): boolean =>
  session.role === "owner" ||
  (role !== "owner" && (rights[session.role] as readonly string[]).includes(role));
