import { createRoot } from "react-dom/client";
import { applyStoredTheme } from "../lib/theme.ts";
import { takeToken } from "./api.ts";
import { Portal } from "./portal.tsx";

applyStoredTheme();
const root = document.getElementById("root");
if (root === null) throw new Error("Bug: the page has no place for itself");
createRoot(root).render(<Portal token={takeToken()} />);
