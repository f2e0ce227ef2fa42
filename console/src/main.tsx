import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { applyStoredTheme } from "./lib/theme.ts";

applyStoredTheme();
const root = document.getElementById("root");
if (root === null) throw new Error("Bug: the page has no place for the console");
createRoot(root).render(<App />);
