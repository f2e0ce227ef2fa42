import { useCallback, useState } from "react";

export const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

const key = "tollgate-theme";

function stored(): Theme {
  try {
    const value = localStorage.getItem(key);
    return themes.find((theme) => theme === value) ?? "system";
  } catch {
    // Storage may be forbidden; then the choice lives as long as the page.
    return "system";
  }
}

function apply(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

/** Before the first paint, so that a dark page does not flash white. */
export const applyStoredTheme = (): void => apply(stored());

export function useTheme(): readonly [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState(stored);
  const choose = useCallback((next: Theme) => {
    apply(next);
    setTheme(next);
    try {
      localStorage.setItem(key, next);
    } catch (error) {
      console.info("The theme is not remembered:", error);
    }
  }, []);
  return [theme, choose];
}
