import { defineConfig } from "vite";

export default defineConfig({
  // Of the page that is served, concertod replaces what stands before /admin by AdminBasePath
  // (tools/concertod/console_pages.cpp).
  base: "/CONCERTO-BASE/admin/",
  build: {
    target: "es2022",
    modulePreload: false,
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rollupOptions: {
      output: {
        // The names under which concertod embeds the files.
        entryFileNames: "page.js",
        assetFileNames: "page[extname]",
      },
    },
  },
});
