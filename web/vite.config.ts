/* Builds the modules and styles of the pages into static/dist with a manifest that web/assets.py reads. */

import purgeCSSPlugin from "@fullhuman/postcss-purgecss";
import type { Plugin } from "postcss";
import { defineConfig } from "vite";

// Tabler ships every component; only what a template or module names is sent to a phone. Our own styles stay whole.
const usedStylesOnly: Plugin = purgeCSSPlugin({
  content: ["templates/**/*.html", "src/**/*.ts"],
  safelist: { greedy: [/data-bs-theme/] },
}) as Plugin;
const trimTabler: Plugin = {
  postcssPlugin: "trim-tabler",
  OnceExit: (root, helpers) => {
    const fromTabler = root.source?.input.file?.includes("@tabler") ?? false;
    return fromTabler ? usedStylesOnly.OnceExit?.(root, helpers) : undefined;
  },
};

export default defineConfig({
  base: "/assets/",
  publicDir: false,
  css: { postcss: { plugins: [trimTabler] } },
  build: {
    outDir: "static/dist",
    assetsDir: ".",
    emptyOutDir: true,
    manifest: true,
    // A data: URL in a stylesheet would need img-src data: for our own files too; only Tabler's icons do.
    assetsInlineLimit: 0,
    rolldownOptions: { input: ["src/main.ts", "src/auction.ts", "src/act_run.ts", "src/prices.ts", "src/price_history.ts", "src/verify.ts"] },
  },
});
