/** One door to both databases. Values go in as parameters only; rows come out with money as text. */
export interface Queryable {
  query<Row>(sql: string, parameters?: readonly unknown[]): Promise<Row[]>;
}

export interface Db extends Queryable {
  readonly kind: "postgres" | "pglite";
  /** Runs `work` in one transaction; rolls back when it throws. */
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>;
  /** Several statements without parameters, for migrations. */
  execute(sql: string): Promise<void>;
  close(): Promise<void>;
}

/** Marks literal SQL. It takes no values: a `${…}` does not compile, so that nothing is ever spliced in. */
export const sql = (text: TemplateStringsArray): string => text[0] as string;

/** int8 as a number. Refuses what a double cannot hold: no count in Tollgate is that large, so it is a bug. */
export function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value))
    throw new Error(`Bug: int8 ${text} does not fit a safe integer; select money as text`);
  return value;
}
