/** One call to a vendor, as the request record keeps it. */
export interface Attempt {
  readonly endpoint: string;
  readonly deployment: string;
  readonly status: number | null;
  readonly vendorRequestId: string | null;
  readonly reason: string | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
}

/** The record's attempts are free JSON; what is not as expected is shown as unknown, never guessed. */
export function readAttempts(values: readonly unknown[]): readonly Attempt[] {
  return values.map((value) => {
    const fields = (typeof value === "object" && value !== null ? value : {}) as Readonly<
      Record<string, unknown>
    >;
    return {
      endpoint: textOf(fields.endpoint) ?? "unknown",
      deployment: textOf(fields.deployment) ?? "unknown",
      status: typeof fields.status === "number" ? fields.status : null,
      vendorRequestId: textOf(fields.vendor_request_id),
      reason: textOf(fields.reason),
      startedAt: textOf(fields.started_at),
      endedAt: textOf(fields.ended_at),
    };
  });
}

const textOf = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);
