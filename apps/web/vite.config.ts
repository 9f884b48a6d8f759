// Builds the web pages; Element Plus components are imported one by one, as templates use them.
import vue from "@vitejs/plugin-vue";
import { ElementPlusResolver } from "unplugin-vue-components/resolvers";
import Components from "unplugin-vue-components/vite";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [
    vue(),
    Components({
      // Our own components are imported by name where they are used: a reader sees where they come from.
      dirs: [],
      dts: "src/components.d.ts",
      resolvers: [ElementPlusResolver({ importStyle: "css" })],
    }),
  ],
  define: {
    __VUE_OPTIONS_API__: true,
    __VUE_I18N_LEGACY_API__: false,
    __INTLIFY_PROD_DEVTOOLS__: false,
  },
  worker: { format: "es" },
  build: {
    target: "es2022",
    // The charts' and Element Plus's chunks are loaded with the pages that use them.
    chunkSizeWarningLimit: 700,
  },
});
