// What is the same with a file system and without one.
export { ChatTemplate, type Rendered, TemplateError, UnsupportedTemplate } from "./chat/template.ts";
export type { Picture, PictureBytes } from "./conversation.ts";
export {
  type Family,
  families,
  type Published,
  publishedModels,
  type Value as ParameterValue,
} from "./families/index.ts";
export { type PictureSize, pictureSizeOf, type ReadAt } from "./images/header.ts";
export type { Model, SampleLoads, SizeOf, VisualLoads } from "./model.ts";
export type { ModelFile, ModelFiles } from "./model-files.ts";
export type { LoadModelOptions, ModelOptions } from "./model-options.ts";
export type { GivenFiles } from "./source.ts";
export type { Count, Counter, Text as CountedText } from "./tokenizer/counter.ts";
export type { TokenizerLibrary } from "./tokenizer/library.ts";
export { Unrecognized } from "./tokenizer/tables.ts";
