/** One gateway process of the ledger benchmark: takes a load by message, answers with what it measured. */
import { type Load, runLoad } from "./ledger-load.ts";

process.on("message", (load: Load) => {
  runLoad(load).then(
    (measured) => process.send?.({ measured }, () => process.exit(0)),
    (error: unknown) => process.send?.({ error: String(error) }, () => process.exit(1)),
  );
});
