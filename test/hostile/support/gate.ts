import { pause } from "./raw-client.ts";
import type { World } from "./world.ts";

export interface Gate {
  /** Requests that have reached the vendor and wait for its answer. */
  waiting(): number;
  /** From now on everybody is answered at once. */
  letGo(): void;
}

/** A script of the evil vendor that answers only once it is let go: what it holds is open at the gateway. */
export function gate(world: World, name: string, answer: string): Gate {
  const held: (() => void)[] = [];
  let isOpen = false;
  world.evil.scripts.set(name, (socket) => {
    if (isOpen) socket.write(answer);
    else held.push(() => socket.write(answer));
  });
  return {
    waiting: () => held.length,
    letGo() {
      isOpen = true;
      for (const go of held.splice(0)) go();
    },
  };
}

/** Waits until it is so; fails with `what` when it never is. */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  what: string,
  patienceMs = 15_000,
): Promise<void> {
  for (let waited = 0; waited < patienceMs; waited += 20) {
    if (await isSo()) return;
    await pause(20);
  }
  throw new Error(`It never came true that ${what}`);
}
