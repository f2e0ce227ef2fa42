import { type RefObject, useLayoutEffect, useRef, useState } from "react";

/** The width of an element, px, as it changes; 0 until it is laid out. */
export function useWidth<Host extends HTMLElement>(): readonly [RefObject<Host | null>, number] {
  const ref = useRef<Host>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const host = ref.current;
    if (host === null) return;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    observer.observe(host);
    return () => observer.disconnect();
  }, []);
  return [ref, width];
}
