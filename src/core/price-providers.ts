/** Hosts whose own price list is known, by the name that list goes under. */
const providersByHost: Readonly<Record<string, string>> = {
  "api.openai.com": "openai",
  "eu.api.openai.com": "openai",
  "us.api.openai.com": "openai",
  "api.groq.com": "groq",
  "api.deepseek.com": "deepseek",
  "api.mistral.ai": "mistral",
  "api.x.ai": "x-ai",
  "api.moonshot.ai": "moonshotai",
  "api.perplexity.ai": "perplexity",
};

/**
 * Whose price list an endpoint sells by: Azure's, that of the host, or, for a host that is not known,
 * OpenAI's — what it serves goes by OpenAI's names or has a price of the operator's.
 */
export function priceProviderOf(kind: "azure" | "openai", baseUrl: string): string {
  if (kind === "azure") return "azure";
  const host = URL.canParse(baseUrl) ? new URL(baseUrl).hostname : "";
  const provider = Object.hasOwn(providersByHost, host) ? providersByHost[host] : undefined;
  return provider ?? "openai";
}
