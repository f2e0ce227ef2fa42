import type { ReactNode } from "react";
import type { Overview } from "../../api/types.ts";
import { Card, Empty, Link } from "../../ui/parts.tsx";

/** Whether there is nothing to see yet: a new installation, or a pause as long as two periods. */
export const isQuiet = ({ current, previous, integrity }: Overview): boolean =>
  current.requests === 0 && previous.requests === 0 && integrity.open_holds === 0;

/** What to do then. */
export const FirstSteps = (): ReactNode => (
  <Card>
    <Empty title="Nothing was asked in this period, nor in the one before">
      <p>
        Ask something in the <Link to="/playground">Playground</Link>, or with the <code>curl</code> that was
        printed at the start; it then stands under <Link to="/requests">Requests</Link>, with what it cost and
        why.
      </p>
    </Empty>
  </Card>
);
