/** Names that people read for names that programs write. */

const kinds: Readonly<Record<string, string>> = {
  input: "Input",
  cached_input: "Cached input",
  cache_write: "Cache write",
  output: "Output",
  reasoning: "Reasoning",
  audio_input: "Audio input",
  cached_audio_input: "Cached audio input",
  audio_output: "Audio output",
  image_input: "Image input",
  web_search: "Web search",
  file_search: "File search",
  code_interpreter: "Code interpreter",
  beyond_hold: "Beyond the hold (operator's loss)",
};
/** Tokens are priced by the million, tools by the call. */
export const isTokenKind = (kind: string): boolean =>
  !["web_search", "file_search", "code_interpreter", "beyond_hold"].includes(kind);
export const kindName = (kind: string): string => kinds[kind] ?? plainWords(kind);

const ledgerAccounts: Readonly<Record<string, string>> = {
  customer: "Customer",
  earnings: "Earnings",
  vendor_cost: "Vendor cost",
  vendor_payable: "Owed to vendor",
  cash: "Cash",
  promotional: "Promotions",
  breakage: "Breakage",
  loss: "Loss",
};
export const ledgerAccountName = (name: string): string => ledgerAccounts[name] ?? plainWords(name);

const entryKinds: Readonly<Record<string, string>> = {
  settle: "Settlement",
  settlement: "Settlement",
  grant: "Grant",
  void: "Grant voided",
  expiry: "Grant expired",
  refund: "Refund",
};
export const entryKindName = (kind: string): string => entryKinds[kind] ?? plainWords(kind);

/** "vendor_cut" → "Vendor cut". */
export function plainWords(name: string): string {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
