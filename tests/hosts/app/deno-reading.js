// Paths, bytes and a folder on the disk, in Deno; argv: the folder.
import { load } from "omnibal";
import { readLengths, readPacking } from "omnibal/read";
import { formats, packingFiles, writeAs } from "omnibal/write";

const [folder] = Deno.args;
const omnibal = await load();
const inputs = [`${folder}/a.csv`, `${folder}/a.csv.gz`, new File(['[{"vit_num":9,"token_num":7}]'], "a.json")];
const lengths = await readLengths(inputs, { omnibal });
const packing = omnibal.pack(lengths, { maxVit: 9, maxTokens: 4096 });
const npy = formats.find(({ name }) => name === "npy");
await writeAs(npy, { core: omnibal.core, packing, ...lengths }, `${folder}/out`);
const files = packingFiles(omnibal, packing, lengths, "npy");
const blobs = new Map(Array.from(files, ([name, pieces]) => [name, new Blob([...pieces])]));
const read = [await readPacking(omnibal, `${folder}/out`, lengths), await readPacking(omnibal, blobs, lengths)];
const refused = await readLengths(new File(["vit_num\n1\n"], "b.csv"), { omnibal }).catch((error) => error.message);
console.log(JSON.stringify([lengths.tokens.join(), lengths.files.length, ...read.map((own) => own.length), refused]));
