/** A key for one intended change: sent again with a repeated click, so that it happens once. */
export const newKey = (): string => crypto.randomUUID();
