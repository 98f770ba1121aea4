// SPDX-License-Identifier: Apache-2.0
// Two projects over the same files: `node` runs every test, `browser` runs those of browser-safe packages in Chromium.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { playwright } from "@vitest/browser-playwright";
import { defineConfig, type TestProjectConfiguration } from "vitest/config";

const root = import.meta.dirname;
const fixtures = process.env.ADYTON_FIXTURES ?? resolve(root, "../shared/fixtures");
const chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) =>
  existsSync(path),
);
const BROWSER_SAFE = ["core", "evidence", "appraisal", "simulator"];
const source = { conditions: ["@adyton/source"] };

if (chromium === undefined) console.warn("Chromium was not found: browser tests are skipped.");

const node: TestProjectConfiguration = {
  resolve: { conditions: ["@adyton/source", "node", "import", "module", "default"] },
  ssr: { resolve: source },
  test: {
    name: "node",
    include: ["packages/*/src/**/*.test.ts", "testing/src/**/*.test.ts", "tools/src/**/*.test.ts"],
    exclude: ["**/*.browser.test.ts"],
    testTimeout: 30_000,
  },
};

const browser: TestProjectConfiguration = {
  resolve: { conditions: ["@adyton/source", "browser", "import", "module", "default"] },
  test: {
    name: "browser",
    include: BROWSER_SAFE.map((name) => `packages/${name}/src/**/*.test.ts`),
    exclude: ["**/*.node.test.ts"],
    testTimeout: 60_000,
    browser: {
      enabled: true,
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

export default defineConfig({
  test: {
    projects: chromium === undefined ? [node] : [node, browser],
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
