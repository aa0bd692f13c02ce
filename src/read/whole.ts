// A packing or a plan is one file or a folder of several, which belong together.
import { type FileOf, type Folder, fileAt, fileOf, filesIn, type Input, type InputFile, isFolder } from "./input.ts";

/** What messages call a folder that has no path. */
const NO_PATH = "folder";

/** What `readFolder` or `readFile` makes of an input, and what messages call that. */
export async function opened<T>(
  from: Input | Folder,
  readFolder: (path: string, fileOf: FileOf) => Promise<T>,
  readFile: (file: InputFile) => Promise<T>,
): Promise<{ readonly path: string; readonly value: T }> {
  if (isFolder(from)) return { path: NO_PATH, value: await readFolder(NO_PATH, await filesIn(from)) };
  if (typeof from === "string" && (await (await import("./source.ts")).isFolderAt(from))) {
    const { readWhole } = await import("./folder.ts");
    return { path: from, value: await readWhole(from, (pathOf) => readFolder(from, (name) => fileAt(pathOf(name)))) };
  }
  const file = fileOf(from);
  return { path: file.path, value: await readFile(file) };
}
