// What pages and comments point to exists: links, and the names of files in pages, comments and the package.
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const text = (path: string) => readFileSync(`${root}${path}`, "utf8");
const isThere = (path: string) => existsSync(`${root}${path}`);

const pages = ["", "docs/"].flatMap((folder) =>
  readdirSync(`${root}${folder}`)
    .filter((name) => name.endsWith(".md"))
    .map((name) => `${folder}${name}`),
);

/** Folders whose files are named by their path from the root. */
const FOLDERS = ["assembly", "src", "tests", "docs", "bench", "examples", "python", ".ci"].filter(isThere);

/** A path that begins with one of the folders. */
const PATH = new RegExp(String.raw`(?<![\w./@*-])(?:${FOLDERS.join("|").replaceAll(".", "\\.")})/[\w./-]*\w`, "g");

/** Headings as GitHub makes anchors of them. */
const anchors = (page: string) =>
  Array.from(page.matchAll(/^#+ (.*)$/gm), ([, heading]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );

test.each(pages)("links in %s lead somewhere", (page) => {
  const broken = Array.from(text(page).matchAll(/\]\(([^)\s]+)\)/g), ([, to]) => to)
    .filter((to) => !/^\w+:/.test(to))
    .filter((to) => {
      const [path, anchor] = to.split("#");
      const file = path === "" ? page : posix.join(posix.dirname(page), path);
      if (!isThere(file)) return true;
      return anchor !== undefined && !anchors(text(file)).includes(anchor);
    });
  expect(broken).toEqual([]);
});

/** Paths of what is yet to be written or made: placeholders, the API's pages, what the page's own code is put into. */
function isToCome(path: string, page: string): boolean {
  return /[A-Z]{3}/.test(path) || path === "docs/api" || text(page).includes(`\n// ${path}\n`);
}

/** What a page may name without a folder before it: the rooms of both trees, as in `base/step.ts`. */
const isInRoom = (path: string) => ["assembly", "src"].some((side) => isThere(`${side}/${path}`));
const ROOMS = ["assembly", "src"].flatMap((side) =>
  readdirSync(`${root}${side}`, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])),
);
const ROOM = new RegExp(`^(?:${ROOMS.join("|")})/[\\w./-]+$`);

test.each(pages)("files that %s names exist", (page) => {
  const prose = text(page).replaceAll(/^```.*?^```$/gms, "");
  const named = Array.from(prose.matchAll(/`([^`\n]+)`/g), ([, code]) => code);
  const missing = named.filter((code) => {
    if (ROOM.test(code) && !FOLDERS.includes(code.split("/")[0])) return !isInRoom(code) && !isToCome(code, page);
    return Array.from(code.matchAll(PATH)).some(([path]) => !isThere(path) && !isToCome(path, page));
  });
  expect(missing).toEqual([]);
});

/** Files with comments of ours; what is in docs/ beside pages is generated. */
const code = FOLDERS.filter((folder) => folder !== "docs");
const sources = code
  .flatMap((folder) =>
    readdirSync(`${root}${folder}`, { recursive: true, encoding: "utf8" }).map((name) => `${folder}/${name}`),
  )
  .filter(
    (path) =>
      /\.(ts|js|mjs|py|c|html|yml)$/.test(path) &&
      !path.includes("node_modules") &&
      !path.startsWith("tests/vectors/") &&
      statSync(`${root}${path}`).isFile(),
  );

describe("files that comments name exist", () => {
  test("there are many", () => expect(sources.length).toBeGreaterThan(300));

  test.each(code)("%s", (folder) => {
    const missing = sources
      .filter((path) => path.startsWith(`${folder}/`))
      .flatMap((path) => {
        const comments = Array.from(text(path).matchAll(/(?:\/\/|\*|#) .*$/gm), ([line]) => line).join("\n");
        return Array.from(comments.matchAll(PATH), ([name]) => name)
          .filter((name) => /\.\w+$/.test(name) && !isThere(name) && !/[A-Z]{3}/.test(name))
          .map((name) => `${path}: ${name}`);
      });
    expect(missing).toEqual([]);
  });
});

test("the package's files exist", () => {
  const { files } = JSON.parse(text("package.json")) as { files: string[] };
  expect(files.filter((path) => !path.includes("*") && !isThere(path))).toEqual([]);
});
