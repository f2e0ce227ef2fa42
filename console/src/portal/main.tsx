import { applyStoredTheme } from "../lib/theme.ts";

applyStoredTheme();
