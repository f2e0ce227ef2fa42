import { createContext, useContext } from "react";

/** The reporting time zone of the installation, an IANA name. */
export const ZoneContext = createContext("UTC");

export const useZone = (): string => useContext(ZoneContext);
