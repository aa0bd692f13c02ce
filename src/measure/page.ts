// What needs no file system: the rules of models, counting, templates and the sizes of pictures.
export { loadModel } from "./load-files.ts";
export * from "./rules.ts";
