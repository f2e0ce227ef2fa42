/** A fact learned about one deployment, from a vendor's 400 or from a probe. */
export type Lesson =
  | { readonly kind: "rename"; readonly parameter: string; readonly to: string; readonly evidence: string }
  | { readonly kind: "drop"; readonly parameter: string; readonly evidence: string }
  | { readonly kind: "no_stream_options"; readonly evidence: string }
  | { readonly kind: "input_overhead"; readonly tokens: number; readonly samples: number; readonly evidence: string }
  | { readonly kind: "model"; readonly model: string; readonly evidence: string };
