import type { ReactNode } from "react";

/** Line drawings on a grid of 24; all decorative, the words beside them are what is read out. */
const paths = {
  overview: "M4 13h6V4H4zM14 20h6V11h-6zM4 20h6v-3H4zM14 7h6V4h-6z",
  accounts:
    "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c.5-3.5 3-5.5 6.500-5.500s6 2 6.500 5.500M16 4.500a3.500 3.500 0 0 1 0 6.500M18 14.800c2 .7 3.200 2.500 3.500 5.200",
  keys: "M8 15.500a4.500 4.500 0 1 0 0-.01M11.500 12L20 3.500M16 7.500l3 3M13.500 10l2 2",
  requests: "M4 6h16M4 12h10M4 18h13M18 10l2 2-2 2",
  ledger: "M5 4h12a2 2 0 0 1 2 2v14H7a2 2 0 0 1-2-2zM9 9h6M9 13h6",
  prices:
    "M12 3v18M16.500 7.500C16 5.800 14.500 5 12 5c-3 0-4.500 1.300-4.500 3.300C7.500 13 16.800 10.500 16.800 15.500c0 2.200-1.800 3.500-4.800 3.500s-4.700-1.200-5-3.300",
  endpoints: "M4 5h16v5H4zM4 14h16v5H4zM7.500 7.500h.01M7.500 16.500h.01",
  estimation: "M4 20L20 4M6.500 9.500h.01M9 6h.01M14 12h.01M12 16.500h.01M17.500 15h.01M16 8h.01",
  settings: "M4 7h10M18 7h2M4 17h2M10 17h10M14 4.500v5M6 14.500v5",
  playground: "M4 5h16v11H9l-5 4zM8 9h8M8 12h5",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  check: "M5 12.500l4.500 4.500L19 7.500",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2.500v2M12 19.500v2M2.500 12h2M19.500 12h2M5.300 5.300l1.400 1.400M17.300 17.300l1.400 1.400M5.300 18.700l1.400-1.400M17.300 6.700l1.400-1.400",
  moon: "M19.500 14.500A8 8 0 0 1 9.500 4.500a8 8 0 1 0 10 10z",
  screen: "M3 5h18v11H3zM9 20h6M12 16v4",
  download: "M12 4v11M7.500 11L12 15.500 16.500 11M5 20h14",
  logout: "M14 4H5v16h9M10 12h11M17.500 8.500L21 12l-3.500 3.500",
  plus: "M12 5v14M5 12h14",
  close: "M6 6l12 12M18 6L6 18",
  pause: "M8 5v14M16 5v14",
  play: "M7 5l12 7-12 7z",
  warning: "M12 4L2.500 20h19zM12 10v4.500M12 17.300h.01",
  table: "M4 5h16v14H4zM4 10h16M10 5v14",
  menu: "M4 7h16M4 12h16M4 17h16",
  next: "M9 5l7 7-7 7",
  back: "M15 5l-7 7 7 7",
} as const;
export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }): ReactNode {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}
