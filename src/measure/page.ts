// What needs no file system: the rules of models, counting, templates and the sizes of pictures.
export { ChatTemplate, type Rendered, TemplateError, UnsupportedTemplate } from "./chat/template.ts";
export { type Family, families, publishedModels } from "./families/index.ts";
export { type PictureSize, pictureSizeOf } from "./images/header.ts";
export {
  loadModelFiles,
  type Model,
  type ModelFiles,
  type SampleLoads,
  type SizeOf,
  type VisualLoads,
} from "./model.ts";
export type { ModelOptions } from "./model-options.ts";
export type { Count, Counter } from "./tokenizer/counter.ts";
export { Unrecognized } from "./tokenizer/tables.ts";
