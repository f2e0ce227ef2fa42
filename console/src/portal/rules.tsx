import type { ReactNode } from "react";
import { Card } from "../ui/parts.tsx";

/** How charging works, in plain words. */
export const RulesCard = (): ReactNode => (
  <Card title="How charging works">
    <ul className="sentences">
      <li>
        Before a request is sent, the most it can cost is held. When it ends, what it used is charged and the
        rest comes back, usually within seconds.
      </li>
      <li>
        You pay for the tokens that the model's vendor counts. Cached input is a part of input and costs less;
        reasoning is a part of output, also where you do not see it.
      </li>
      <li>A request is charged once, and never more than was held for it.</li>
      <li>When the vendor fails before anything was generated, nothing is charged.</li>
      <li>
        When you close the connection early, what the vendor bills for it is charged all the same; the receipt
        says so.
      </li>
      <li>
        When the vendor reports no count, the tokens are counted here, and the amount is marked as estimated.
      </li>
      <li>
        A request that the balance does not cover is refused before it is sent. A smaller output limit
        (max_completion_tokens) makes it hold less.
      </li>
    </ul>
  </Card>
);
