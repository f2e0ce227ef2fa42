/** How many of the settled requests rest on the vendor's own count. */
export interface Sources {
  readonly vendor: number;
  readonly estimated: number;
}

/** "97.3%": never 100% while one is estimated, never 0% while one is exact; null where nothing was settled. */
export function exactShare({ vendor, estimated }: Sources): string | null {
  const all = vendor + estimated;
  if (all === 0) return null;
  if (estimated === 0) return "100%";
  if (vendor === 0) return "0%";
  const permille = Math.min(999, Math.max(1, Math.round((vendor * 1_000) / all)));
  return `${Math.floor(permille / 10)}.${permille % 10}%`;
}

/** What a sum of charges is made of, in words. */
export function sumCertainty({ vendor, estimated }: Sources): string {
  if (vendor + estimated === 0) return "nothing settled";
  if (estimated === 0) return "all exact";
  return vendor === 0 ? "all estimated" : `${estimated} of ${vendor + estimated} estimated`;
}

/** "3 d 4 h"; for what is left, so hours are enough. */
export function formatHoursLeft(hours: number | null): string {
  if (hours === null) return "—";
  if (hours < 1) return "under 1 h";
  if (hours < 48) return `${hours} h`;
  const days = Math.floor(hours / 24);
  return days < 1_000 ? `${days} d` : "over 1,000 d";
}
