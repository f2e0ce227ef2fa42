/**
 * Names inside a request that decide what it costs or what is metered: of a content part, a tool, the stream's options.
 * A vendor that ignores letter case would read `Type` as `type`, so a look-alike of one of them is refused where it could
 * be taken for it.
 */
export const innerNames: ReadonlySet<string> = new Set([
  "type",
  "role",
  "content",
  "output",
  "text",
  "image_url",
  "file_id",
  "file",
  "input_audio",
  "id",
  "detail",
  "include_usage",
  "effort",
  "function",
  "name",
  "max_num_results",
  "search_context_size",
  "server_url",
  "container",
]);

/** Members whose content is the client's own, in names of its own: what stands there decides nothing. */
export const freeMembers: ReadonlySet<string> = new Set([
  "metadata",
  "parameters",
  "schema",
  "logit_bias",
  "arguments",
  "variables",
]);
