// The rooms of the house: which may import which, and that no file imports itself by a detour. ARCHITECTURE.md says why.
import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

/** What each room may import from, beside itself. A file beside the rooms is a room of its own. */
const ROOMS: Record<string, Record<string, readonly string[]>> = {
  assembly: {
    base: [],
    loads: ["base"],
    pack: ["base", "loads"],
    plan: ["base", "loads"],
    search: ["base", "loads"],
    read: ["base", "loads"],
    text: ["base", "loads"],
    model: ["base", "loads"],
    command: ["base", "loads", "pack", "plan", "search", "read", "text"],
    index: ["base", "loads", "pack", "plan", "search", "read", "text", "model", "command"],
  },
  src: {
    core: [],
    pack: ["core"],
    plan: ["core", "pack"],
    read: ["core", "pack", "plan"],
    write: ["core", "pack", "plan"],
    search: ["core", "pack", "plan", "workers"],
    workers: ["core", "pack", "plan", "search"],
    model: ["core", "pack", "plan", "write"],
    measure: ["core", "pack", "plan", "read", "write"],
    shards: ["core", "pack", "plan"],
    compare: ["core", "pack", "plan", "read"],
    omnibal: ["core", "pack", "plan", "search", "workers", "write"],
    index: ["core", "pack", "plan", "search", "shards", "workers", "write", "omnibal"],
    studio: ["index", "read", "write", "compare"],
    cli: [
      "core",
      "pack",
      "plan",
      "read",
      "write",
      "search",
      "shards",
      "workers",
      "model",
      "measure",
      "compare",
      "omnibal",
      "studio",
    ],
  },
};

const IMPORT = /^\s*(?:import|export)\b[^;"']*?["'](\.{1,2}\/[^"']+)["']/gm;

/** Every file of `side` with the files of it that it imports, types included. */
function imports(side: string): Map<string, string[]> {
  const files = readdirSync(`${root}${side}`, { recursive: true, encoding: "utf8" })
    .filter((file) => /\.(tsx?|css)$/.test(file))
    .map((file) => file.replaceAll("\\", "/"));
  return new Map(
    files.map((file) => {
      const text = readFileSync(`${root}${side}/${file}`, "utf8");
      const found = Array.from(text.matchAll(IMPORT), ([, path]) => {
        // A question mark says how a bundler is to take the file.
        const at = posix.join(posix.dirname(file), path.replace(/\?.*/, ""));
        return /\.(tsx?|css)$/.test(at) ? at : `${at}.ts`;
      });
      return [file, found];
    }),
  );
}

const roomOf = (file: string) => file.split("/")[0].replace(/\.ts$/, "");

/** The first circle there is, as the files on it. */
function circle(graph: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): readonly string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    path.push(file);
    for (const next of graph.get(file) ?? []) {
      const found = visit(next);
      if (found !== undefined) return found;
    }
    path.pop();
    done.add(file);
    return undefined;
  };
  for (const file of graph.keys()) {
    const found = visit(file);
    if (found !== undefined) return found;
  }
  return undefined;
}

test("a circle is found where there is one", () => {
  const graph = new Map([
    ["a", ["b", "c"]],
    ["b", []],
    ["c", ["d"]],
    ["d", ["c"]],
  ]);
  expect(circle(graph)).toEqual(["c", "d", "c"]);
  expect(circle(new Map([...graph, ["d", ["b"]]]))).toBeUndefined();
});

for (const [side, rooms] of Object.entries(ROOMS)) {
  describe(side, () => {
    const graph = imports(side);

    test("has files that import others", () => {
      expect(graph.size).toBeGreaterThan(30);
      expect(Array.from(graph.values()).flat().length).toBeGreaterThan(50);
    });

    test("no file imports itself by a detour", () => {
      expect(circle(graph)).toBeUndefined();
    });

    test("every import is of a file that is there", () => {
      const missing = Array.from(graph, ([file, found]) =>
        found.filter((at) => !graph.has(at)).map((at) => [file, at]),
      );
      expect(missing.flat()).toEqual([]);
    });

    test("ARCHITECTURE.md has the same rooms and arrows", () => {
      const page = readFileSync(`${root}ARCHITECTURE.md`, "utf8");
      const [, section] = new RegExp(`^### ${side}/.*?\\n([^]*?)(?=^#)`, "m").exec(page) ?? [];
      const rows = Array.from(
        section.matchAll(/^\| `(\w+)(?:\/|\.ts)` \| .* \| ?([^|]*?) ?\|$/gm),
        ([, room, known]) => {
          const all = Object.keys(rooms).filter((other) => other !== room);
          const but = /^all but (.*)$/.exec(known)?.[1].split(", ") ?? [];
          const named = known.startsWith("all") ? all.filter((other) => !but.includes(other)) : known.split(", ");
          return [room, named.filter((name) => name !== "").sort()];
        },
      );
      expect(Object.fromEntries(rows)).toEqual(
        Object.fromEntries(Object.entries(rooms).map(([room, known]) => [room, [...known].sort()])),
      );
    });

    test("no room imports from one that it must not know", () => {
      const arrows = Array.from(graph, ([file, found]) => found.map((at) => [file, at] as const)).flat();
      const wrong = arrows.filter(([file, at]) => {
        const from = roomOf(file);
        const to = roomOf(at);
        return from !== to && !(rooms[from]?.includes(to) ?? false);
      });
      expect(wrong.map(([file, at]) => `${file} -> ${at}`)).toEqual([]);
    });
  });
}
