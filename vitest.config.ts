// SPDX-License-Identifier: Apache-2.0
// Three projects over the same files: `node` runs every test, `browser` those of browser-safe packages in Chromium,
// `edge` the same in a web-standards runtime; it takes long, so it runs only when it is named.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { playwright } from "@vitest/browser-playwright";
import type { Plugin } from "vite";
import { defineConfig, type TestProjectConfiguration } from "vitest/config";

const root = import.meta.dirname;
const fixtures = process.env.ADYTON_FIXTURES ?? resolve(root, "../shared/fixtures");
const chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) =>
  existsSync(path),
);
const BROWSER_SAFE = ["core", "evidence", "rego", "appraisal", "simulator"];
const EDGE = ["@adyton/source", "edge-light", "worker", "import", "module", "default"];
const source = { conditions: ["@adyton/source"] };

const edgeNamed = process.argv.some((argument) => /^(--project=)?edge$/.test(argument));

if (chromium === undefined) console.warn("Chromium was not found: browser tests are skipped.");

const node: TestProjectConfiguration = {
  resolve: { conditions: ["@adyton/source", "node", "import", "module", "default"] },
  ssr: { resolve: source },
  test: {
    name: "node",
    include: [
      "packages/*/src/**/*.test.ts",
      "testing/src/**/*.test.ts",
      "tools/src/**/*.test.ts",
      "fuzz/src/**/*.test.ts",
      "conformance/src/**/*.test.ts",
    ],
    exclude: ["**/*.browser.test.ts", "**/*.edge.test.ts"],
    // Loading the modules anew for each file would take nearly as long as the tests.
    isolate: false,
    testTimeout: 30_000,
  },
};

const browser: TestProjectConfiguration = {
  resolve: { conditions: ["@adyton/source", "browser", "import", "module", "default"] },
  // CommonJS: vite would find it in the middle of a run, and reload.
  optimizeDeps: { include: ["@open-policy-agent/opa-wasm"] },
  test: {
    name: "browser",
    include: BROWSER_SAFE.map((name) => `packages/${name}/src/**/*.test.ts`),
    exclude: ["**/*.node.test.ts"],
    testTimeout: 60_000,
    browser: {
      enabled: true,
      isolate: false,
      headless: true,
      screenshotFailures: false,
      provider: playwright({
        launchOptions: {
          ...(chromium === undefined ? {} : { executablePath: chromium }),
          args: [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
          ],
        },
      }),
      instances: [{ browser: "chromium" }],
      commands: {
        hasFixtures: () => existsSync(join(fixtures, "README.md")),
        readFixture: async (_context: unknown, path: string) =>
          (await readFile(join(fixtures, path))).toString("base64"),
      },
    },
  },
};

const edge: TestProjectConfiguration = {
  plugins: [webOnly()],
  // Not Node's conditions: what a bundler for workers would choose.
  resolve: { conditions: EDGE },
  ssr: { target: "webworker", resolve: { conditions: EDGE } },
  test: {
    name: "edge",
    environment: "edge-runtime",
    pool: "vmThreads",
    setupFiles: ["conformance/src/edge.setup.ts"],
    include: [
      ...BROWSER_SAFE.map((name) => `packages/${name}/src/**/*.test.ts`),
      "conformance/src/**/*.edge.test.ts",
    ],
    exclude: ["**/*.node.test.ts", "**/*.browser.test.ts"],
    testTimeout: 60_000,
  },
};

export default defineConfig({
  test: {
    // By default one core stays free: of two, half of the machine.
    maxWorkers: availableParallelism(),
    projects: [node, ...(chromium === undefined ? [] : [browser]), ...(edgeNamed ? [edge] : [])],
    coverage: {
      provider: "v8",
      include: ["packages/*/src/**/*.ts"],
      exclude: ["**/*.test.ts", "**/bin.ts"],
      reporter: ["text-summary", "json-summary"],
      // Held without Chromium and without the real evidence, too.
      thresholds: { lines: 95, statements: 94, functions: 94, branches: 86 },
    },
  },
});

/** Refuses our own files that import `node:` modules: vitest could serve them even here, a web runtime could not. */
function webOnly(): Plugin {
  const packages = join(root, "packages/");
  return {
    name: "web-only",
    enforce: "pre",
    // vitest adds Node's condition to what it runs in Node.
    configEnvironment: (_name, { resolve }) => {
      if (resolve?.conditions !== undefined) {
        resolve.conditions = resolve.conditions.filter((condition) => condition !== "node");
      }
    },
    transform(code, id) {
      if (!id.startsWith(packages)) return;
      const found = /\bfrom\s*"(node:[a-z/]+)"|\bimport\(?\s*"(node:[a-z/]+)"/.exec(code);
      if (found !== null) throw new Error(`${id} imports ${found[1] ?? found[2]}: no web runtime has it`);
    },
  };
}
