// All that the module imports: what its command asks of WASI (preview 1). asc names the import module after this file.
// Pointers are to the module's memory; every function but proc_exit answers an errno, 0 when done.

/** The number of arguments, and the bytes of all of them with their closing zeros. */
export declare function args_sizes_get(count: usize, bytes: usize): i32;
/** The arguments, each closed by a zero, and a pointer to each. */
export declare function args_get(pointers: usize, bytes: usize): i32;
/** Reads into `count` parts, a pointer and a length each. */
export declare function fd_read(fd: i32, parts: usize, count: i32, read: usize): i32;
export declare function fd_write(fd: i32, parts: usize, count: i32, written: usize): i32;
export declare function fd_close(fd: i32): i32;
/** A folder that the host has opened: 0 as its kind, and, 4 bytes on, the length of its name. */
export declare function fd_prestat_get(fd: i32, at: usize): i32;
export declare function fd_prestat_dir_name(fd: i32, at: usize, length: usize): i32;
export declare function path_open(
  folder: i32,
  follow: i32,
  path: usize,
  length: usize,
  create: i32,
  rights: u64,
  inherited: u64,
  flags: i32,
  opened: usize,
): i32;
/** Does not return. */
export declare function proc_exit(code: i32): void;
